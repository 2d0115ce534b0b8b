import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faults } from "./axe.ts";
import { complained, composer, eventually, message, say, Server } from "./fixture.ts";
import { closed, post, stored } from "./signs.ts";
import type { Page } from "playwright-core";

let server: Server;
beforeAll(async () => void (server = await Server.start(["--auth", "link"])));
afterAll(() => server.stop());

let alice: Page;

/** menu opens one's own menu and takes a line of it. */
async function menu(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: /Your menu/ }).click();
  await page.getByRole("menuitem", { name }).click();
}

describe("people with accounts", () => {
  test("a stranger is told how people come in", async () => {
    const stranger = await server.page();
    await stranger.getByRole("heading", { name: "Come in" }).waitFor();
    await stranger.getByLabel("Your link").fill("https://example.org/nothing");
    await stranger.keyboard.press("Enter");
    await stranger.getByText("That is no link of this server.").waitFor();
    await stranger.goto(`${server.url}join#not-a-link`);
    await stranger.getByRole("heading", { name: "This link does not work" }).waitFor();
  });

  test("the owner joins by a link, chats, and the link's secret leaves the address", async () => {
    alice = await server.join(server.link("--owner"), "alice");
    await eventually(() => alice.url()).toBe(`${server.url}#/lobby`);
    await post(alice, "mine");
    expect(complained(alice).filter((c) => !c.includes("401"))).toEqual([]);
  });

  test("an owner invites people by a link, which is there as text and as a code", async () => {
    await menu(alice, "Invite people");
    await alice.getByRole("button", { name: "Make a link" }).click();
    const text = await alice.locator(".new-link code").innerText();
    expect(text).toContain("/join#");
    const code = alice.getByRole("img", { name: "The link as a QR code" });
    expect((await code.locator("path").getAttribute("d"))!.length).toBeGreaterThan(1_000);
    await alice.getByText("used 0 of 1 times").first().waitFor();
    const bob = await server.join(`join#${text.split("#")[1]!}`, "bob");
    await message(bob, "mine").waitFor();
    await say(bob, "thanks");
    await alice.keyboard.press("Escape");
    await message(alice, "thanks").waitFor();
    await bob.getByRole("button", { name: /Your menu/ }).click();
    await bob.getByRole("menuitem", { name: "Your devices" }).waitFor();
    expect(await bob.getByRole("menuitem", { name: "Manage people" }).count()).toBe(0);
  });

  test("another device is added by a link, listed, and signed out", async () => {
    await menu(alice, "Your devices");
    await alice.getByText("this browser").waitFor();
    await alice.getByRole("button", { name: "Sign out Chrome on Linux" }).waitFor();
    await alice.getByRole("button", { name: "Add a device" }).click();
    const text = await alice.locator(".new-link code").innerText();
    const phone = await server.page(`join#${text.split("#")[1]!}`);
    await phone.getByText("This browser will be signed in as alice.").waitFor();
    await phone.getByRole("button", { name: "Sign in" }).click();
    await message(phone, "mine").waitFor();
    await alice.keyboard.press("Escape");
    await closed(alice);
    await menu(alice, "Your devices");
    await eventually(() => alice.locator(".lines > li").count()).toBe(2);
    const other = alice.locator(".lines > li").filter({ hasNotText: "this browser" });
    await other.getByRole("button").click();
    await eventually(() => alice.locator(".lines > li").count()).toBe(1);
    await phone.getByRole("heading", { name: "Come in" }).waitFor();
    await alice.keyboard.press("Escape");
    await closed(alice);
  });

  test("an owner keeps somebody out, and lets them in again", async () => {
    const carol = await server.join(server.link(), "carol");
    await menu(alice, "Manage people");
    await alice.getByLabel("Find somebody").fill("carol");
    await alice.getByRole("button", { name: "What to do with carol" }).click();
    await alice.getByRole("button", { name: /Disable/ }).click();
    await alice.getByText("disabled", { exact: true }).waitFor();
    await carol.getByRole("heading", { name: "Come in" }).waitFor();
    await alice.getByRole("button", { name: "Enable again" }).click();
    await eventually(() => alice.getByText("disabled", { exact: true }).count()).toBe(0);
    await alice.getByRole("button", { name: "Make an owner" }).click();
    await alice.locator(".tag").getByText("owner").waitFor();
    await alice.getByText("What was done").click();
    await alice.locator(".lines").getByText(/alice \S+ carol/).first().waitFor();
    await alice.keyboard.press("Escape");
    await closed(alice);
  });

  test("one is shown by a name beside one's handle", async () => {
    await menu(alice, "How you are shown");
    await alice.getByLabel("Name beside your handle").fill("Alice O'Hara");
    await alice.keyboard.press("Enter");
    await message(alice, "mine").getByText("Alice O'Hara").waitFor();
    await closed(alice);
  });

  test("axe finds no fault with the views of accounts, by day and by night", async () => {
    const visitor = await server.page();
    for (const path of ["", "join", "join#not-a-link", server.link()]) {
      await visitor.goto(`${server.url}${path}`);
      await visitor.reload();
      await visitor.getByRole("heading", { level: 1 }).waitFor();
      expect(await faults(visitor), path.replace(/#.*/, "")).toEqual([]);
    }
    await alice.getByRole("button", { name: /Your menu/ }).click();
    await alice.getByRole("menu").waitFor();
    expect(await faults(alice), "menu").toEqual([]);
    await alice.keyboard.press("Escape");
    await eventually(() => alice.getByRole("menu").count()).toBe(0);
    for (const [name, more] of [
      ["How you are shown"], ["Invite people", "Make a link"], ["Manage people", "What was done"],
      ["Your devices", "Add a device"],
    ] as const) {
      await menu(alice, name);
      await alice.getByRole("dialog").getByRole(name === "How you are shown" ? "textbox" : "listitem").first().waitFor();
      if (more) await alice.getByText(more, { exact: true }).click();
      if (name === "Manage people") await alice.getByRole("button", { name: "What to do with carol" }).click();
      else if (more) await alice.locator(".new-link code").waitFor();
      expect(await faults(alice), name).toEqual([]);
      const { y, height } = (await alice.getByRole("dialog").boundingBox())!;
      expect(y + height, name).toBeLessThanOrEqual(700); // of the window
      await alice.keyboard.press("Escape");
      await closed(alice);
    }
    await alice.getByRole("button", { name: "Members" }).click();
    await alice.getByRole("option", { name: /carol/ }).waitFor();
    expect(await faults(alice), "members").toEqual([]);
    await alice.keyboard.press("Escape");
    await closed(alice);
  });

  test("signing out ends this browser's session, and takes away what it keeps", async () => {
    await alice.evaluate(() => {
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (!String(data).includes("sendMessage")) send.call(this, data);
      };
    });
    await say(alice, "never arrives");
    await message(alice, "never arrives").waitFor();
    await composer(alice).fill("half a draft");
    await eventually(() => kept(alice)).toEqual(["confab.known", "never arrives", "half a draft"]);
    await menu(alice, "Sign out");
    await alice.getByRole("heading", { name: "Come in" }).waitFor();
    await eventually(() => kept(alice)).toEqual([]); // as soon as the server has answered, and not before
    await alice.reload();
    await alice.getByRole("heading", { name: "Come in" }).waitFor();
  });
});

/** kept lists what a browser keeps of a person: choices by their names, and texts. */
async function kept(page: Page): Promise<string[]> {
  return [...(await page.evaluate(() => Object.keys(localStorage))), ...(await stored(page))];
}
