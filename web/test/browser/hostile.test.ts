import type { Page, WebSocketRoute } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isName } from "../../src/core/names.ts";
import { composer, eventually, message, openRoom, say, Server } from "./fixture.ts";
import { drawn, guard, harm, hostile } from "./guard.ts";

let server: Server;
let all: string[];
beforeAll(async () => {
  all = hostile();
  server = await Server.start(["--memory", "--rate", "20000", "--burst", "40000"]);
});
afterAll(() => server.stop());

/** portions cuts a list. */
function portions<T>(list: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** guarded opens the page for carol, with a guard, and a high window in which many rows are in sight. */
async function guarded(route?: (socket: WebSocketRoute) => void): Promise<Page> {
  const page = await server.page("", { viewport: { width: 1100, height: 9_000 } }, async (made) => {
    await made.addInitScript(() => localStorage.setItem("confab.name", "carol"));
    await guard(made);
    if (route) await made.routeWebSocket(/production/, route);
  });
  await composer(page).waitFor();
  return page;
}

type Frame = { action: string; id?: string; [member: string]: unknown };

/** lying is a server that lets names through which the real one never would. */
function lying(answers: Record<string, object>): { route(socket: WebSocketRoute): void; say(event: object): void } {
  let socket: WebSocketRoute;
  const say = (event: object): void => socket.send(JSON.stringify(event));
  return {
    say,
    route(opened) {
      socket = opened;
      opened.onMessage((text) => {
        const { action, id } = JSON.parse(text as string) as Frame;
        const empty = { event: "history", room: "lobby", messages: [], more: false, seq: 0, epoch: "e" };
        if (answers[action]) say({ id, ...answers[action] });
        else if (action === "history") say({ id, ...empty });
        else if (id) say({ event: "error", id, code: "forbidden", message: all.slice(0, 50).join(" ") });
      });
    },
  };
}

const welcome = { event: "welcome", protocol: 1, server: "0", user: "carol", connectionId: "c", heartbeatSeconds: 600, pipeline: 1 };
const head = (room: string): object => ({ room, seq: 0, epoch: "e", read: 0 });

describe("texts that have broken other pages", () => {
  test("as messages: nothing fires, no element is added, and no policy is broken", async () => {
    expect(all.length).toBeGreaterThan(5_000);
    const carol = await guarded();
    await openRoom(carol, "hostile");
    for (const [i, portion] of portions(all, 200).entries()) { // so that each is in sight once
      await server.speak("mallory", "hostile", [...portion, `end ${i}`]);
      await message(carol, `end ${i}`).waitFor();
    }
    expect(await drawn(carol)).toBeGreaterThanOrEqual(all.length + portions(all, 200).length);
    expect(await harm(carol)).toEqual([]);
    await eventually(() => carol.url()).toBe(`${server.url}#/hostile`);
    await say(carol, "still alive");
    await message(carol, "still alive").waitFor();
    await eventually(() => carol.locator(".pending").count()).toBe(0);
  }, 280_000);

  test("as names of people, whom a server should have refused", async () => {
    const people = all.map((user) => ({ user, online: true, name: user }));
    const fake = lying({
      hello: { ...welcome, rooms: [head("lobby")] },
      users: { event: "users", users: people.slice(0, 200), more: false },
      members: { event: "members", room: "lobby", members: people, more: false },
    });
    const carol = await guarded((socket) => fake.route(socket));
    let seq = 0;
    const speak = (from: string, text: string): void =>
      fake.say({ event: "message", room: "lobby", epoch: "e", seq: ++seq, id: `i${seq}`, from, message: text, at: new Date().toISOString() });
    for (const portion of portions(all, 100)) {
      for (const from of portion) speak(from, "hello");
      speak("dave", `end ${seq}`);
      await message(carol, `end ${seq - 1}`).waitFor();
    }
    expect(await drawn(carol)).toBeGreaterThanOrEqual(all.length + portions(all, 100).length);
    for (const { user, name } of people.slice(-100)) fake.say({ event: "profile", user, name });
    fake.say({ event: "typing", room: "lobby", user: all.join(" ") });
    await carol.locator(".typing").getByText("is typing…").waitFor();
    for (const query of ["", "<", "on"]) {
      await composer(carol).fill("");
      await composer(carol).pressSequentially(`@${query.replace(/\W/, "")}`);
      for (const name of ["Members", "Write to somebody", "Invite somebody", "Jump to…"]) {
        const button = carol.getByRole("button", { name, exact: true }).first();
        if (!(await button.count())) continue; // nobody is invited to the lobby
        await button.click();
        await carol.getByRole("combobox").fill(query);
        await carol.getByRole("option").first().waitFor();
        await carol.keyboard.press("Escape");
        await eventually(() => carol.getByRole("dialog").count()).toBe(0);
      }
    }
    expect(await harm(carol)).toEqual([]);
  }, 280_000);

  test("as names of rooms, in the list, as invitations, and as the room that is open", async () => {
    const rooms = all.map((room, i) => (i % 2 ? room : `@carol,${room.replaceAll(",", "")}`));
    const long = all.join(" ").slice(0, 200_000);
    const fake = lying({
      hello: { ...welcome, rooms: [head("lobby"), ...rooms.map(head), head(long)] },
      rooms: { event: "rooms", rooms: all.slice(0, 1_000).map((room) => ({ room, invited: true, by: room })), more: false },
      members: { event: "members", room: long, members: [], more: false },
    });
    const carol = await guarded((socket) => fake.route(socket));
    await eventually(() => carol.locator(".room-link").count()).toBe(new Set(["lobby", long, ...rooms]).size);
    await eventually(() => carol.locator(".invitation").count()).toBe(1_000);
    await carol.evaluate((room) => (location.hash = `#/${encodeURIComponent(room)}`), long);
    await eventually(() => carol.getByRole("heading", { level: 1 }).textContent()).toContain(all[0]);
    for (const name of ["Members", "Search in this room"]) {
      await carol.getByRole("button", { name, exact: true }).first().click();
      await carol.getByRole("dialog").waitFor();
      await carol.keyboard.press("Escape");
      await eventually(() => carol.getByRole("dialog").count()).toBe(0);
    }
    expect(await harm(carol)).toEqual([]);
  }, 280_000);

  test("as names for the real server: each is taken, or refused with a sentence", async () => {
    const page = await server.page("", {}, guard);
    await page.getByLabel("Your name").waitFor();
    const refused = all.filter((name) => !isName(name.trim()));
    expect(refused.length).toBeGreaterThan(5_000);
    const silent = await page.evaluate(async (names) => {
      const field = document.querySelector<HTMLInputElement>("#name")!;
      const problem = document.querySelector("#problem")!;
      const left: string[] = [];
      for (const name of names) {
        field.value = name;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        await Promise.resolve();
        field.form!.requestSubmit();
        for (let i = 0; i < 3; i++) await Promise.resolve(); // it is drawn
        if (!problem.textContent || !field.isConnected) left.push(name);
      }
      return left;
    }, refused);
    expect(silent).toEqual([]);
    expect(await harm(page)).toEqual([]);
    const answers = await page.evaluate(({ url, names }) => new Promise<string[]>((resolve) => {
      const socket = new WebSocket(url);
      const got: string[] = [];
      socket.onopen = () => {
        socket.send('{"action":"hello","id":"h"}');
        for (const [i, room] of names.entries()) socket.send(JSON.stringify({ action: "joinRoom", id: `j${i}`, room }));
      };
      socket.onmessage = (e) => {
        const event = JSON.parse(e.data as string) as { event: string; id?: string; message?: string };
        if (!event.id?.startsWith("j")) return;
        if (got.push(event.event === "joined" ? "joined" : (event.message ?? "")) === names.length) resolve(got);
      };
    }), { url: `${server.url.replace("http", "ws")}production?name=erin`, names: all });
    expect(answers.filter((a) => a !== "joined" && !/\w+ \w+/.test(a))).toEqual([]);
    expect(answers.filter((a) => a === "joined").length).toBeGreaterThan(10);
    await server.person("frank").then(async (frank) => { // who sees all rooms that there are now
      await frank.getByRole("button", { name: "Find or create a room" }).click();
      await frank.getByRole("option").nth(20).waitFor();
    });
  }, 280_000);
});
