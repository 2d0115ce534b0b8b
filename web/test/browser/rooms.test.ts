import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { composer, eventually, message, openRoom, say, Server, texts } from "./fixture.ts";
import { closed, holdTimers, passing, post } from "./signs.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start()));
afterAll(() => server.stop());

describe("rooms and people", () => {
  test("8 Esc closes what is open", async () => {
    const alice = await server.person("alice");
    for (const name of ["Jump to…", "Find or create a room", "Members"]) {
      await alice.getByRole("button", { name }).first().click();
      await alice.getByRole("dialog").waitFor();
      await alice.keyboard.press("Escape");
      await closed(alice);
    }
    await alice.getByRole("button", { name: /Your menu/ }).click();
    await alice.getByRole("menu").waitFor();
    await alice.keyboard.press("Escape");
    await eventually(() => alice.getByRole("menu").count()).toBe(0);
    await eventually(() => alice.evaluate(() => document.activeElement?.className)).toBe("me");
  });

  test("8 what is opened while something still closes stays open", async () => {
    const nora = await server.person("nora");
    await nora.getByRole("button", { name: "Members" }).click();
    await nora.getByRole("dialog").waitFor();
    await nora.evaluate(() => new Promise((back) => { // both before the browser has gone back in its history
      addEventListener("popstate", back, { once: true });
      document.querySelector("dialog")!.dispatchEvent(new Event("cancel", { cancelable: true }));
      dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true }));
    }).then(() => undefined));
    await nora.getByLabel("Room or person").waitFor();
    await nora.keyboard.press("Escape");
    await closed(nora);
  });

  test("9 a message's text and its link can be copied", async () => {
    const bob = await server.person("bob", { permissions: ["clipboard-read", "clipboard-write"] });
    await openRoom(bob, "copies");
    await say(bob, "*copy* me");
    const row = bob.locator(".message");
    await eventually(() => row.getAttribute("class")).not.toContain("pending");
    await row.hover();
    await passing(bob.getByText("Copied."), () => row.getByRole("button", { name: "Copy text" }).click());
    expect(await bob.evaluate(() => navigator.clipboard.readText())).toBe("*copy* me");
    await row.getByRole("button", { name: "Copy link" }).click();
    await eventually(() => bob.evaluate(() => navigator.clipboard.readText())).toBe(`${server.url}#/copies/1`);
  });

  test("10 rooms are found, made, joined and left, and people invited", async () => {
    const carol = await server.person("carol");
    const dave = await server.person("dave");
    await openRoom(carol, "open-room");
    await openRoom(dave, "open-room");
    await say(carol, "welcome");
    await message(dave, "welcome").waitFor();
    await openRoom(carol, "den", "private");
    await dave.getByRole("button", { name: "Find or create a room" }).click();
    await dave.getByLabel("Find or name a room").fill("den");
    const make = dave.getByRole("option", { name: "Create the room den" });
    await make.waitFor();
    await passing(dave.getByRole("dialog").getByRole("status"), () => make.click()); // it says that it is taken
    expect(await dave.getByRole("link", { name: "den" }).count()).toBe(0);
    await dave.keyboard.press("Escape");
    await closed(dave);
    await carol.getByRole("button", { name: "Invite somebody" }).click();
    await carol.getByLabel("Whom?").fill("dav");
    await passing(carol.getByText("dave is invited."), () => carol.getByRole("option", { name: /dave/ }).click());
    await dave.getByRole("button", { name: "Join den" }).click();
    await dave.getByRole("heading", { name: "den", level: 1 }).waitFor();
    await dave.getByRole("button", { name: "More about this room" }).click();
    await dave.getByRole("menuitem", { name: "Leave this room" }).click();
    await dave.getByRole("heading", { name: "lobby", level: 1 }).waitFor();
    await eventually(() => dave.getByRole("link", { name: "den" }).count()).toBe(0);
    await carol.getByRole("link", { name: "open-room" }).click();
    await carol.getByRole("button", { name: "More about this room" }).click();
    await carol.getByRole("menuitem", { name: "Remove somebody" }).click();
    await carol.getByRole("option", { name: "dave" }).click();
    await eventually(() => dave.getByRole("link", { name: "open-room" }).count()).toBe(0);
  });

  test("22 a line tells who types", async () => {
    const erin = await server.person("erin");
    const frank = await server.person("frank");
    await openRoom(erin, "typists");
    await openRoom(frank, "typists");
    await passing(frank.getByText("erin is typing…"), () => composer(erin).pressSequentially("well"));
    await composer(erin).press("Enter");
    await message(frank, "well").waitFor();
    await eventually(() => frank.locator(".typing").innerText()).toBe("");
  });

  test("23 dots tell who is here, in words too", async () => {
    const gina = await server.person("gina");
    const hugo = await server.person("hugo");
    await openRoom(gina, "present");
    await openRoom(hugo, "present");
    await say(hugo, "here I am");
    const dot = message(gina, "here I am").locator(".avatar .dot");
    await eventually(() => dot.innerText()).toBe("online");
    const green = await dot.evaluate((e) => getComputedStyle(e).backgroundColor);
    await hugo.context().close();
    await eventually(() => dot.innerText()).toBe("offline");
    await eventually(() => dot.evaluate((e) => getComputedStyle(e).backgroundColor)).not.toBe(green);
  });

  test("26 a name's menu begins a direct message", async () => {
    const iris = await server.person("iris");
    const jane = await server.person("jane");
    await say(jane, "hello everybody");
    await message(iris, "hello everybody").getByRole("button", { name: /jane/ }).click();
    await iris.getByRole("menuitem", { name: "Message jane" }).click();
    await iris.getByText("This is the beginning of your conversation with jane.").waitFor();
    await say(iris, "just us");
    await jane.getByRole("link", { name: /iris/ }).click();
    await message(jane, "just us").waitFor();
    await say(jane, "yes");
    await message(iris, "yes").waitFor();
    expect(await texts(iris)).toEqual(["just us", "yes"]);
    await iris.getByRole("link", { name: "lobby" }).click();
    await message(iris, "hello everybody").getByRole("button", { name: /jane/ }).click();
    await iris.getByRole("menuitem", { name: "Mention" }).click();
    await eventually(() => composer(iris).inputValue()).toBe("@jane ");
  });

  test("32 Ctrl+K jumps to a room or person, ? shows the shortcuts", async () => {
    await server.speak("jane", "lobby", ["here"]);
    const kate = await server.person("kate");
    await openRoom(kate, "far-away");
    await kate.keyboard.press("Control+k");
    await kate.getByLabel("Room or person").fill("lob");
    await kate.keyboard.press("Enter");
    await kate.getByRole("heading", { name: "lobby", level: 1 }).waitFor();
    await kate.keyboard.press("Control+k");
    await kate.getByLabel("Room or person").fill("jane");
    await kate.getByRole("option", { name: /jane/ }).waitFor();
    await kate.keyboard.press("Enter");
    await kate.getByRole("heading", { name: "jane", level: 1 }).waitFor();
    await composer(kate).press("?");
    await eventually(() => composer(kate).inputValue()).toBe("?");
    expect(await kate.getByRole("dialog").count()).toBe(0);
    await kate.locator(".me").focus();
    await kate.keyboard.press("?");
    await kate.getByRole("dialog", { name: "Keyboard shortcuts" }).getByText("Break the line").waitFor();
  });

  test("36 a panel tells of the connection: its id, latency, dialect, and the last error with its request", async () => {
    const owner = await server.person("owner-of-a-room");
    await openRoom(owner, "locked", "private");
    const liam = await server.person("liam");
    await liam.getByRole("button", { name: "Find or create a room" }).click();
    await liam.getByLabel("Find or name a room").fill("locked");
    const make = liam.getByRole("option", { name: "Create the room locked" });
    await make.waitFor();
    await passing(liam.getByRole("dialog").getByRole("status"), () => make.click()); // it says that it is taken
    await liam.keyboard.press("Escape");
    await closed(liam);
    await liam.evaluate(() => dispatchEvent(new Event("online"))); // asks for a heartbeat
    await liam.getByRole("button", { name: /Your menu/ }).click();
    await liam.getByRole("menuitem", { name: "Connection" }).click();
    const panel = liam.getByRole("dialog", { name: "Connection" });
    await panel.getByText("Connected", { exact: true }).waitFor();
    await panel.getByText(/^\d+ ms$/).waitFor();
    await panel.getByText("native").waitFor();
    await panel.getByText(/^taken: .*\(request .+\)$/).waitFor();
    expect(await panel.locator("dd").nth(1).innerText()).toMatch(/^[\w+/=-]{10,}$/);
  });

  test("39 one's own message can be deleted, with undo before that is sent", async () => {
    const mia = await server.person("mia");
    const noah = await server.person("noah");
    await openRoom(mia, "regrets");
    await openRoom(noah, "regrets");
    for (const text of ["keep", "regret"]) await post(mia, text);
    const release = await holdTimers(mia, 5_000); // the time to undo lasts until then
    await message(noah, "regret").waitFor();
    await message(noah, "regret").hover();
    expect(await message(noah, "regret").getByRole("button", { name: "Delete" }).count()).toBe(0);
    const erase = async (text: string): Promise<void> => {
      await message(mia, text).hover();
      await message(mia, text).getByRole("button", { name: "Delete" }).click();
    };
    await erase("keep");
    await mia.getByRole("button", { name: "Undo" }).click();
    await message(mia, "keep").waitFor();
    await erase("regret");
    await mia.getByText("Message will be deleted.").waitFor();
    await release();
    await noah.getByText("Message deleted").waitFor();
    await mia.getByText("Message deleted").waitFor();
    expect(await texts(noah)).toEqual(["keep"]);
  });

  test("40 a room can be muted: no count, no bold, no notification, but mentions", async () => {
    const olga = await server.person("olga");
    await openRoom(olga, "noisy");
    await olga.getByRole("button", { name: "More about this room" }).click();
    await olga.getByRole("menuitem", { name: "Mute this room" }).click();
    await olga.getByRole("link", { name: "lobby" }).click();
    const link = olga.getByRole("link", { name: /noisy/ });
    await server.speak("pat", "noisy", ["one", "two"]);
    await server.speak("pat", "lobby", ["in the lobby"]);
    await message(olga, "in the lobby").waitFor();
    expect(await link.locator(".badge").count()).toBe(0);
    expect(Number(await link.evaluate((e) => getComputedStyle(e).fontWeight))).toBeLessThan(600);
    await eventually(() => olga.title()).toBe("lobby – Confab");
    await server.speak("pat", "noisy", ["@olga wake up"]);
    await eventually(() => link.locator(".badge.strong").count()).toBe(1);
    await olga.reload();
    await olga.getByRole("link", { name: /noisy.*muted/ }).waitFor();
  });
});
