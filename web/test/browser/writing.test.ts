import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { complained, composer, eventually, inside, message, openRoom, say, Server, texts } from "./fixture.ts";
import { post, sent, stored } from "./signs.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start()));
afterAll(() => server.stop());

describe("writing", () => {
  test("1 Enter sends, Shift+Enter breaks the line, composing with an input method never sends", async () => {
    const alice = await server.person("alice");
    await composer(alice).pressSequentially("one");
    await composer(alice).press("Shift+Enter");
    await composer(alice).pressSequentially("two");
    await composer(alice).press("Enter");
    await eventually(() => texts(alice)).toEqual(["one\ntwo"]);
    await composer(alice).fill("nihon");
    for (const how of [{ isComposing: true, keyCode: 13 }, { isComposing: false, keyCode: 229 }])
      await composer(alice).evaluate((area, init) =>
        area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...init })), how);
    expect(await composer(alice).inputValue()).toBe("nihon");
    expect(await texts(alice)).toEqual(["one\ntwo"]);
    await composer(alice).press("Enter");
    await eventually(() => texts(alice)).toEqual(["one\ntwo", "nihon"]);
    expect(complained(alice)).toEqual([]);
  });

  test("1 who types anywhere writes a message", async () => {
    const ivan = await server.person("ivan");
    await post(ivan, "said");
    await message(ivan, "said").focus();
    await ivan.keyboard.type("well");
    await eventually(() => composer(ivan).inputValue()).toBe("well");
    await ivan.getByRole("button", { name: "Find or create a room" }).click();
    await ivan.getByLabel("Find or name a room").waitFor();
    await ivan.keyboard.type("x");
    await eventually(() => ivan.getByLabel("Find or name a room").inputValue()).toBe("x");
    expect(await composer(ivan).inputValue()).toBe("well");
  });

  test("2 the composer grows with its text, to a limit", async () => {
    const bob = await server.person("bob");
    const height = (): Promise<number> => composer(bob).evaluate((area) => area.clientHeight);
    const one = await height();
    await composer(bob).fill("1\n2\n3");
    const three = await height();
    expect(three).toBeGreaterThan(one + 20);
    await composer(bob).fill("line\n".repeat(100));
    const many = await height();
    expect(many).toBeGreaterThan(three);
    expect(many).toBeLessThanOrEqual(280);
    await composer(bob).fill("");
    expect(await height()).toBe(one);
  });

  test("3 each room keeps its draft over reloads", async () => {
    const carol = await server.person("carol");
    await composer(carol).fill("half a sentence");
    await openRoom(carol, "drafts");
    expect(await composer(carol).inputValue()).toBe("");
    await composer(carol).fill("another");
    await eventually(() => stored(carol)).toEqual(expect.arrayContaining(["half a sentence", "another"]));
    await carol.reload();
    await eventually(() => composer(carol).inputValue()).toBe("another");
    await carol.getByRole("link", { name: "lobby" }).click();
    await eventually(() => composer(carol).inputValue()).toBe("half a sentence");
    await composer(carol).press("Enter");
    await message(carol, "half a sentence").waitFor();
    await sent(carol);
    await eventually(() => stored(carol)).toEqual(["another"]);
    await carol.reload();
    await inside(carol);
    await message(carol, "half a sentence").waitFor();
    await carol.getByRole("link", { name: "drafts" }).click();
    await eventually(() => composer(carol).inputValue()).toBe("another"); // drafts are there
    await carol.getByRole("link", { name: "lobby" }).click();
    await carol.getByRole("heading", { name: "lobby", level: 1 }).waitFor();
    expect(await composer(carol).inputValue()).toBe("");
  });

  test("4 one's own message shows at once, greyed until it is acknowledged", async () => {
    const dave = await server.person("dave");
    await dave.evaluate(() => {
      // What the server is sent waits, so that the time between can be seen.
      const send = WebSocket.prototype.send;
      const held: (() => void)[] = [];
      WebSocket.prototype.send = function (data) {
        if (String(data).includes("sendMessage")) held.push(() => send.call(this, data));
        else send.call(this, data);
      };
      Object.assign(window, { release: () => held.forEach((run) => run()) });
    });
    await say(dave, "on its way");
    const row = message(dave, "on its way");
    await row.waitFor();
    expect(await row.getAttribute("class")).toContain("pending");
    const grey = await row.locator(".text").evaluate((e) => getComputedStyle(e).color);
    await row.evaluate((e) => Object.assign(window, { sameRow: e.closest("li") }));
    await dave.evaluate(() => (window as unknown as { release(): void }).release());
    await eventually(() => row.getAttribute("class")).not.toContain("pending");
    await eventually(() => row.locator(".text").evaluate((e) => getComputedStyle(e).color)).not.toBe(grey);
    expect(await row.evaluate((e) => e.closest("li") === (window as unknown as { sameRow: Element }).sameRow)).toBe(true);
  });

  test("5 a message that failed keeps its text, with Retry and Delete", async () => {
    const erin = await server.person("erin");
    const frank = await server.person("frank");
    await openRoom(erin, "closed");
    await openRoom(frank, "closed");
    // Removed on another device while this one does not hear of it: the send is refused.
    await frank.evaluate(() => {
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        const frame = JSON.parse(String(data)) as { action: string; room?: string };
        if (frame.action === "sendMessage") Reflect.set(window, "tries", (Number(Reflect.get(window, "tries")) || 0) + 1);
        if (frame.action === "sendMessage" && !Reflect.get(window, "healed")) frame.room = "no-such-room";
        send.call(this, JSON.stringify(frame));
      };
    });
    await say(frank, "does this arrive?");
    const row = message(frank, "does this arrive?");
    await row.getByText("Not sent").waitFor();
    await row.getByRole("button", { name: "Retry" }).click();
    await eventually(() => frank.evaluate(() => Reflect.get(window, "tries") as number)).toBe(2);
    await row.getByText("Not sent").waitFor();
    await frank.evaluate(() => Reflect.set(window, "healed", true));
    await row.getByRole("button", { name: "Retry" }).click();
    await message(erin, "does this arrive?").waitFor();
    await eventually(() => row.getAttribute("class")).not.toContain("failed");
    await frank.evaluate(() => Reflect.set(window, "healed", false));
    await say(frank, "never mind");
    await message(frank, "never mind").getByRole("button", { name: "Delete" }).click();
    await eventually(() => texts(frank)).toEqual(["does this arrive?"]);
  });

  test("24 a name is completed after @ by the keyboard", async () => {
    for (const name of ["erin", "frank"]) await server.speak(name, "lobby", ["here"]);
    const gina = await server.person("gina");
    await message(gina, "here").first().waitFor();
    await composer(gina).pressSequentially("ask @fr");
    await gina.getByRole("option", { name: /frank/ }).waitFor();
    expect(await gina.getByRole("listbox", { name: "Suggestions" }).getByRole("option").count()).toBe(1);
    await composer(gina).press("Enter");
    await eventually(() => composer(gina).inputValue()).toBe("ask @frank ");
    await composer(gina).pressSequentially("or @");
    await gina.getByRole("option").nth(1).waitFor();
    await composer(gina).press("ArrowDown");
    const second = await gina.getByRole("option", { selected: true }).locator("span").textContent();
    await composer(gina).press("Tab");
    await eventually(() => composer(gina).inputValue()).toBe(`ask @frank or @${second} `);
    await composer(gina).pressSequentially("@frank");
    await eventually(() => gina.getByRole("option").count()).toBe(0); // nothing is left to complete
    await composer(gina).pressSequentially(" @er");
    await gina.getByRole("option", { name: /erin/ }).waitFor();
    await composer(gina).press("Escape");
    await eventually(() => gina.getByRole("option").count()).toBe(0);
    await composer(gina).press("Enter");
    await message(gina, `ask @frank or @${second} @frank @er`).waitFor();
  });

  test("25 emoji come from the picker and from :words:, with data of the server's own", async () => {
    const hugo = await server.person("hugo");
    const asked: string[] = [];
    hugo.on("request", (r) => asked.push(r.url()));
    await composer(hugo).pressSequentially("go :rocke");
    await hugo.getByRole("option", { name: /:rocket:/ }).waitFor();
    await composer(hugo).press("Enter");
    await eventually(() => composer(hugo).inputValue()).toBe("go 🚀 ");
    await hugo.getByRole("button", { name: "Emoji" }).click();
    await hugo.getByLabel("Find an emoji").fill("tada");
    await hugo.getByRole("button", { name: "party popper" }).click();
    await eventually(() => composer(hugo).inputValue()).toBe("go 🚀 🎉");
    await hugo.getByRole("button", { name: "Emoji" }).click();
    await hugo.getByRole("tab", { name: "Flags" }).click();
    await hugo.getByRole("button", { name: "chequered flag" }).click();
    await eventually(() => composer(hugo).inputValue()).toBe("go 🚀 🎉🏁");
    const size = (text: string): Promise<number> =>
      message(hugo, text).locator(".text").evaluate((e) => parseFloat(getComputedStyle(e).fontSize));
    for (const text of ["word 🎉", "🎉 👩‍🚀 ❤️"]) await say(hugo, text);
    await eventually(() => size("word 🎉")).toBeLessThan(20);
    await eventually(() => size("🎉 👩‍🚀 ❤️")).toBeGreaterThan(24); // alone they are large
    expect(asked).toContain(`${server.url}emoji.json`);
    expect(asked.filter((url) => !url.startsWith(server.url))).toEqual([]);
  });
});
