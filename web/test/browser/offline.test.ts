import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { composer, eventually, message, openRoom, say, Server, texts } from "./fixture.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start()));
afterAll(() => server.stop());

describe("losing the connection", () => {
  test("6 what is written offline is kept, over a reload too, and sent in order on return", async () => {
    const alice = await server.person("alice");
    const bob = await server.person("bob");
    await say(alice, "before");
    await message(bob, "before").waitFor();
    await server.kill();
    await alice.getByText("No connection.").waitFor();
    for (const text of ["one", "two", "three"]) await say(alice, text);
    await alice.getByText("3 messages wait to be sent.").waitFor();
    await server.up();
    await message(bob, "three").waitFor();
    await eventually(() => texts(bob)).toEqual(["before", "one", "two", "three"]);
    await eventually(() => alice.locator(".pending").count()).toBe(0);
    expect(await texts(alice)).toEqual(["before", "one", "two", "three"]);
  });

  test("6 a room that is opened offline is loaded on return", async () => {
    await server.speak("bob", "tunnel", ["said before"]);
    const frank = await server.person("frank");
    await openRoom(frank, "tunnel");
    await message(frank, "said before").waitFor();
    await frank.getByRole("link", { name: "lobby" }).click();
    const link = frank.getByRole("link", { name: /tunnel/ });
    await eventually(async () => {
      await frank.reload();
      await link.waitFor();
      return link.textContent();
    }).toBe("tunnel"); // all is read, so that nothing of it is loaded at once
    await server.kill();
    await frank.getByText("No connection.").waitFor();
    await link.click();
    await frank.getByText("Older messages could not be loaded.").waitFor();
    await server.up();
    await message(frank, "said before").waitFor();
  });

  test("6 an outbox that a reload interrupts is sent afterwards", async () => {
    const carol = await server.person("carol");
    await openRoom(carol, "later");
    await carol.evaluate(() => {
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (!String(data).includes("sendMessage")) send.call(this, data);
      };
    });
    await say(carol, "kept");
    await message(carol, "kept").waitFor();
    await carol.reload();
    await eventually(() => texts(carol)).toEqual(["kept"]);
    await eventually(() => carol.locator(".pending").count()).toBe(0);
    await carol.reload();
    await eventually(() => texts(carol)).toEqual(["kept"]);
  });

  test("7 nothing shows twice after the connection was lost in the middle of sending", async () => {
    const dave = await server.person("dave");
    const erin = await server.person("erin");
    await openRoom(dave, "once");
    await openRoom(erin, "once");
    // The acknowledgement of "second" is lost with the connection: it will be sent again.
    await dave.evaluate(() => {
      const sockets: WebSocket[] = [];
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (!sockets.includes(this)) sockets.push(this);
        if (String(data).includes('"second"') && !Reflect.get(window, "cut")) {
          Reflect.set(window, "cut", true);
          this.onmessage = null;
          setTimeout(() => this.close(), 300);
        }
        send.call(this, data);
      };
    });
    for (const text of ["first", "second", "third"]) await say(dave, text);
    await message(erin, "third").waitFor();
    await eventually(() => texts(dave)).toEqual(["first", "second", "third"]);
    expect(await texts(erin)).toEqual(["first", "second", "third"]);
    await eventually(() => dave.locator(".pending").count()).toBe(0);
  });

  test("33 a banner comes only after about a second, with a countdown and a way to try now", async () => {
    const frank = await server.person("frank");
    await frank.evaluate(() => {
      Reflect.set(window, "banners", 0);
      new MutationObserver(() => {
        if (document.querySelector(".banner")) Reflect.set(window, "banners", 1);
      }).observe(document.body, { childList: true, subtree: true });
    });
    // A connection that comes back at once is not worth a word.
    await frank.evaluate(() => {
      Reflect.set(window, "random", Math.random);
      Math.random = () => 0.05;
    });
    await server.kill();
    const lost = Date.now();
    await frank.locator(".banner").waitFor();
    expect(Date.now() - lost).toBeGreaterThan(900);
    await frank.evaluate(() => (Math.random = () => 0.99));
    await frank.getByText(/Trying again in ([5-9]|\d\d) seconds\./).waitFor(); // time enough for the server
    await server.up();
    await frank.getByRole("button", { name: "Try now" }).click();
    await eventually(() => frank.locator(".banner").count()).toBe(0);
    await say(frank, "back");
    await message(frank, "back").waitFor();
    await eventually(() => frank.locator(".pending").count()).toBe(0);
  });

  test("two people chat, the server is killed and comes back, and they go on", async () => {
    const gina = await server.person("gina");
    const hugo = await server.person("hugo");
    await openRoom(gina, "on");
    await openRoom(hugo, "on");
    await say(gina, "hello");
    await message(hugo, "hello").waitFor();
    await server.kill();
    await server.up();
    await eventually(() => hugo.locator(".me .dot.on").count()).toBe(1);
    await say(hugo, "still here");
    await message(gina, "still here").waitFor();
    expect(await texts(gina)).toEqual(["hello", "still here"]);
    expect(await composer(gina).isEnabled()).toBe(true);
  });
});
