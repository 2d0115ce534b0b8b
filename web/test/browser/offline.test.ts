import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server as Listener, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { composer, eventually, message, openRoom, say, Server, texts } from "./fixture.ts";
import { closed, connected, passing, post, readTo, reconnect, stored } from "./signs.ts";

/** Wire stands between a page and the server, and can be cut while both live. */
class Wire {
  cut = false; // nothing passes, and who connects is turned away
  deaf = false; // nothing passes from the server
  private readonly open = new Set<Socket>();

  private constructor(private readonly listener: Listener, readonly url: string) {}

  static async to({ host, port }: Server): Promise<Wire> {
    const listener = createServer((near) => {
      const far = connect(port, host);
      for (const socket of [near, far]) {
        wire.open.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => wire.open.delete(socket));
      }
      if (wire.cut) near.destroy();
      near.on("data", (data) => wire.cut || far.write(data));
      far.on("data", (data) => wire.cut || wire.deaf || near.write(data));
      near.on("close", () => far.destroy());
      far.on("close", () => near.destroy());
    }).listen(0, host);
    await once(listener, "listening");
    const wire = new Wire(listener, `http://${host}:${(listener.address() as AddressInfo).port}/`);
    return wire;
  }

  async end(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    this.listener.close();
    await once(this.listener, "close");
  }
}

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
    for (const page of [alice, bob]) await reconnect(page);
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
    await readTo(frank, "tunnel", 1); // so that nothing of it is loaded at once
    await frank.getByRole("link", { name: "lobby" }).click();
    await post(frank, "out of the tunnel");
    const link = frank.getByRole("link", { name: /tunnel/ });
    await eventually(async () => {
      await frank.reload();
      await message(frank, "out of the tunnel").waitFor(); // the rooms are those of the server by now
      return link.textContent();
    }).toBe("tunnel");
    await server.kill();
    await frank.getByText("No connection.").waitFor();
    await link.click();
    await frank.getByText("Messages need a connection.").waitFor();
    await server.up();
    await reconnect(frank);
    await message(frank, "said before").waitFor();
  });

  test("10 the rooms that there are show once there is a connection, where somebody looked for them without", async () => {
    const henry = await server.person("henry");
    const find = henry.getByRole("button", { name: "Find or create a room" });
    await find.click(); // what panels are made of is fetched
    await henry.getByRole("dialog").waitFor();
    await henry.keyboard.press("Escape");
    await closed(henry);
    await server.kill();
    await henry.getByText("No connection.").waitFor();
    await passing(henry.getByRole("dialog").getByText("You are offline."), () => find.click());
    await server.up();
    await reconnect(henry);
    await henry.getByRole("option", { name: "lobby" }).waitFor();
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
    await eventually(() => stored(carol)).toEqual(["kept"]);
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
    await frank.evaluate(() => (Math.random = () => 0.05)); // it tries again soon
    const lost = Date.now();
    await server.kill();
    await frank.locator(".banner").waitFor();
    expect(Date.now() - lost).toBeGreaterThanOrEqual(1_000);
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
    for (const page of [gina, hugo]) await page.evaluate(() => (Math.random = () => 0.05)); // they try again soon
    await server.kill();
    for (const page of [gina, hugo]) await eventually(() => connected(page)).toBe(false);
    await server.up();
    for (const page of [gina, hugo]) await eventually(() => connected(page)).toBe(true);
    await say(hugo, "still here");
    await message(gina, "still here").waitFor();
    expect(await texts(gina)).toEqual(["hello", "still here"]);
    expect(await composer(gina).isEnabled()).toBe(true);
  });

  test("a minute without a network: what is written meanwhile arrives in order, and nothing twice", async () => {
    const wire = await Wire.to(server);
    const iris = await server.person("iris");
    await openRoom(iris, "minute");
    const jane = await server.page("icon.svg");
    await jane.clock.install();
    await jane.goto(wire.url);
    await jane.getByLabel("Your name").fill("jane");
    await jane.keyboard.press("Enter");
    await composer(jane).waitFor();
    await openRoom(jane, "minute");
    await say(jane, "before");
    await eventually(() => jane.locator(".message:not(.pending)").count()).toBe(1);
    wire.deaf = true; // the server gets the next one, and nobody hears that it did
    await say(jane, "at the edge");
    await message(iris, "at the edge").waitFor();
    wire.cut = true;
    await server.speak("kate", "minute", ["meanwhile"]);
    const banner = jane.locator(".banner");
    const written: string[] = [];
    for (let second = 1; second <= 60; second++) {
      await jane.clock.runFor(1_000); // every timer of that second, one after the other
      if (second % 15) continue;
      written.push(`after ${second} seconds`);
      await say(jane, written.at(-1)!);
    }
    await banner.getByText("No connection.").waitFor();
    await banner.getByText("5 messages wait to be sent.").waitFor();
    expect(await texts(iris)).toEqual(["before", "at the edge", "meanwhile"]);
    wire.cut = wire.deaf = false;
    await banner.getByRole("button", { name: "Try now" }).click().catch(() => undefined); // or it tries by itself
    const all = ["before", "at the edge", "meanwhile", ...written];
    await eventually(() => texts(iris)).toEqual(all);
    await eventually(() => texts(jane)).toEqual(all);
    await eventually(() => jane.locator(".pending").count()).toBe(0);
    await eventually(() => banner.count()).toBe(0);
    await wire.end();
  });
});
