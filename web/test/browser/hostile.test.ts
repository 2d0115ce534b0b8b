import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isName } from "../../src/core/names.ts";
import { composer, eventually, message, openRoom, patience, say, Server } from "./fixture.ts";
import { drawn, guard, harm, hostile } from "./guard.ts";
import { lie, tell, unfound, type Answers, type Said } from "./lying.ts";

let server: Server;
let all: string[];
let joined: string; // many of them, where one place has only one text
beforeAll(async () => {
  all = hostile();
  joined = all.join(" ").slice(0, 20_000);
  server = await Server.start(["--memory", "--rate", "20000", "--burst", "40000"]);
});
afterAll(() => server.stop());

/** portions cuts a list. */
function portions<T>(list: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** handfuls gives all texts, some in each, where one by one would take too long. */
const handfuls = (size: number): string[] => portions(all, size).map((portion) => portion.join(" "));

/** guarded opens the page for carol, with a guard, and a high window in which many rows are in sight; painted coarsely. */
async function guarded(answers?: Answers): Promise<Page> {
  const page = await server.page("", { viewport: { width: 1100, height: 9_000 }, deviceScaleFactor: 0.2 }, async (made) => {
    await made.addInitScript(() => localStorage.setItem("confab.name", "carol"));
    await guard(made);
    if (answers) await lie(made, answers);
  });
  page.setDefaultTimeout(3 * patience); // it draws thousands of rows and links
  await composer(page).waitFor();
  return page;
}

/** welcome greets carol in the lobby and other rooms, on a server whose every word is hostile. */
function welcome(...rooms: object[]): Said {
  return {
    event: "welcome", protocol: 1, server: joined, user: "carol", connectionId: joined, heartbeatSeconds: 600,
    pipeline: 1, rooms: [head("lobby"), ...rooms],
  };
}
const head = (room: string, seq = 0): object => ({ room, seq, epoch: "e", read: seq });
const history = (room: string, messages: object[] = []): Said =>
  ({ event: "history", room, messages, more: false, seq: messages.length, epoch: "e" });
const said = (seq: number, from: string, text: string): object =>
  ({ seq, id: `i${seq}`, from, message: text, at: new Date().toISOString() });
const nobody: Answers = {
  history: history("lobby"), users: { event: "users", users: [], more: false }, rooms: { event: "rooms", rooms: [], more: false },
};

/** opened presses a button that opens a panel, runs what is to be tried there, and closes it. */
async function opened(page: Page, button: string, run: () => Promise<unknown>): Promise<void> {
  await page.getByRole("button", { name: button, exact: true }).first().click();
  await page.getByRole("dialog").waitFor();
  await run();
  await page.keyboard.press("Escape");
  await eventually(() => page.getByRole("dialog").count()).toBe(0);
}
const typed = "[role=combobox]"; // the field of a panel

declare const notified: string[][]; // what pages of some tests have at hand
declare const socket: WebSocket;

describe("texts that have broken other pages", () => {
  test("as messages: nothing fires, no element is added, and no policy is broken", async () => {
    expect(all.length).toBeGreaterThan(5_000);
    const carol = await guarded();
    await openRoom(carol, "hostile");
    let rows = 0;
    for (const portion of portions(all, 200)) { // so that each is in sight once
      await server.speak("mallory", "hostile", portion);
      await drawn(carol, (rows += portion.length));
    }
    expect(await harm(carol)).toEqual([]);
    await eventually(() => carol.url()).toBe(`${server.url}#/hostile`);
    await say(carol, "still alive");
    await message(carol, "still alive").waitFor();
    await eventually(() => carol.locator(".pending").count()).toBe(0);
  }, 500_000);

  test("as senders and their display names, whom a server should have refused", async () => {
    const rooms = portions(all, 150).map((people, i) => ({ room: `p${i}`, people }));
    const carol = await guarded({
      ...nobody,
      hello: welcome(...rooms.map(({ room, people }) => head(room, people.length))),
      users: { event: "users", users: all.map((user) => ({ user, online: true, name: user })), more: false },
      ...Object.fromEntries(rooms.map(({ room, people }) =>
        [`history ${room}`, history(room, people.map((from, i) => said(i + 1, from, "hello")))])),
    });
    let rows = await carol.locator(".rows > li").count();
    for (const { room, people } of rooms) {
      await carol.evaluate((name) => (location.hash = `#/${name}`), room);
      await drawn(carol, (rows += people.length + 1)); // and the beginning of the room
    }
    expect(await carol.locator(".author").last().locator("bdi").allTextContents()).toEqual([all.at(-1), all.at(-1)]);
    expect(await harm(carol)).toEqual([]);
  }, 500_000);

  test("as what a search finds, and is asked for", async () => {
    const found = portions(all, 90); // of the 100 that are shown at once
    const messages = found.flatMap((texts, i) => texts.map((text) => ({ from: `u${1_000 + i}`, text })));
    const carol = await guarded({
      ...nobody,
      hello: welcome(head("tea", all.length)),
      "history tea": history("tea", messages.map(({ from, text }, i) => said(i + 1, from, text))),
    });
    await carol.evaluate(() => (location.hash = "#/tea"));
    await carol.locator(".message").last().waitFor();
    await opened(carol, "Search in this room", async () => {
      for (const [i, texts] of found.entries()) {
        expect(await unfound(carol, typed, [`u${1_000 + i}`], "", [texts[0]!.slice(0, 160).replace(/\s+/g, " ")])).toEqual([]);
        expect(await carol.locator("[role=option]").count()).toBe(texts.length);
      }
      const some = all.filter((_, i) => i % 60 === 0); // each looks through all messages
      expect(await unfound(carol, typed, some, "", some.map((text) => text.trim().replace(/\s+/g, " ").slice(0, 20)))).toEqual([]);
    });
    expect(await harm(carol)).toEqual([]);
  }, 500_000);

  test("as names in panels and lists: members, people, invitations, the switcher, completions, who types", async () => {
    const people = handfuls(20).map((texts, i) => `u${1_000 + i} ${texts}`);
    const keys = people.map((user) => user.slice(0, 5));
    const carol = await guarded({
      ...nobody,
      hello: welcome(head("tea")),
      "history tea": history("tea"),
      users: { event: "users", users: people.map((user) => ({ user, online: true, name: user })), more: false },
      members: { event: "members", room: "tea", members: people.map((user) => ({ user, online: true })), more: false },
    });
    await carol.evaluate(() => (location.hash = "#/tea"));
    await carol.getByRole("heading", { name: "tea", level: 1 }).waitFor();
    for (const name of ["Members", "Write to somebody", "Jump to…"])
      await opened(carol, name, async () => expect(await unfound(carol, typed, keys, "", people)).toEqual([]));
    await opened(carol, "Invite somebody", () => carol.locator(typed).fill("<")); // members are not asked again
    await composer(carol).focus();
    expect(await unfound(carol, ".composer textarea", keys, "@", people)).toEqual([]);
    await carol.keyboard.press("Tab");
    expect(await composer(carol).inputValue()).toBe(`@${people.at(-1)} `);
    for (const user of [joined, "dave"]) await tell(carol, { event: "typing", room: "tea", user });
    await eventually(() => carol.locator(".typing").textContent()).toBe(`${joined} and dave are typing…`);
    expect(await harm(carol)).toEqual([]);
  }, 500_000);

  test("as what a server says went wrong: in notices, in panels, as the connection's last error", async () => {
    const whys = handfuls(100);
    const invited = whys.map((by, i) => ({ room: `r${i}`, invited: true, by }));
    const refusals = whys.map((message, i) => [`leaveRoom r${i}`, { event: "error", code: "forbidden", message }]);
    const carol = await guarded({
      ...nobody,
      hello: welcome(),
      rooms: { event: "rooms", rooms: invited, more: false },
      members: { event: "error", code: "internal", message: joined, requestId: joined },
      ...Object.fromEntries(refusals) as Answers,
    });
    await eventually(() => carol.locator(".invitation").count()).toBe(whys.length);
    const unsaid = await carol.evaluate(async (wanted) => {
      const left: string[] = [];
      for (const [i, why] of wanted.entries()) {
        document.querySelector<HTMLElement>(`[aria-label="Decline the invitation to r${i}"]`)!.click();
        if (!(await lying.until(() => document.querySelector(".notices")!.textContent === why))) left.push(why);
      }
      return left;
    }, whys);
    expect(unsaid).toEqual([]);
    await opened(carol, "Members", () => eventually(() => carol.locator(".panel-notice").textContent()).toContain(joined));
    await carol.getByRole("button", { name: /Your menu/ }).click();
    await carol.getByRole("menuitem", { name: "Connection" }).click();
    await carol.getByRole("dialog").waitFor();
    expect(await carol.locator(".facts").textContent()).toContain(joined); // the server, and the connection's id
    const unshown = await carol.evaluate(async (wanted) => {
      const left: string[] = [];
      for (const why of wanted) {
        lying.say({ event: "error", code: why, message: why, requestId: why });
        const last = (): string => document.querySelector(".facts > :last-child dd")!.textContent!;
        if (!(await lying.until(() => last() === `${why}: ${why} (request ${why})`))) left.push(why);
      }
      return left;
    }, whys);
    expect(unshown).toEqual([]);
    expect(await harm(carol)).toEqual([]);
  }, 500_000);

  test("as notifications, and as what screen readers hear", async () => {
    const carol = await server.page("", {}, async (made) => {
      await made.addInitScript(() => {
        localStorage.setItem("confab.name", "carol");
        localStorage.setItem("confab.notify", "on");
        class Shown {
          static permission = "granted";
          constructor(title: string, { body }: { body: string }) {
            notified.push([title, body]);
          }
        }
        Object.assign(window, { Notification: Shown, notified: [] });
      });
      await guard(made);
      await lie(made, { ...nobody, hello: welcome(head("@bob,carol"), ...all.slice(0, 300).map((room) => head(room))) });
    });
    await composer(carol).waitFor();
    await tell(carol, ...all.map((text, i) => ({ event: "message", room: "@bob,carol", epoch: "e", ...said(i + 1, text, text) })));
    const told = (): Promise<string[][]> => carol.evaluate(() => notified);
    expect(await told()).toEqual(all.map((text) => [text, text.slice(0, 200)]));
    await tell(carol, ...all.slice(0, 300).map((room) => ({ event: "message", room, epoch: "e", ...said(1, room, `@carol ${room}`) })));
    expect((await told()).slice(all.length).map(([title]) => title)).toEqual(all.slice(0, 300).map((room) => `${room} in ${room}`));
    await tell(carol, { event: "message", room: "lobby", epoch: "e", ...said(1, joined, handfuls(20)[0]!) });
    await eventually(() => carol.locator("#announcements").textContent()).toContain(joined);
    expect(await harm(carol)).toEqual([]);
  }, 500_000);

  test("as names of rooms, in the list, the switcher, as invitations, and as the room that is open", async () => {
    const names = handfuls(16);
    const rooms = [...names, ...names.map((room) => `@carol,${room.replaceAll(",", "")}`)];
    const carol = await guarded({
      ...nobody,
      hello: welcome(...rooms.map((room) => head(room))),
      rooms: { event: "rooms", rooms: names.map((by) => ({ room: `${by}!`, invited: true, by })), more: false },
      members: { event: "members", room: rooms[0], members: [], more: false },
    });
    await eventually(() => carol.locator(".room-link").count()).toBe(rooms.length + 1);
    await eventually(() => carol.locator(".invitation").count()).toBe(names.length);
    await carol.evaluate((room) => (location.hash = `#/${encodeURIComponent(room)}`), names[0]!);
    await eventually(() => carol.getByRole("heading", { level: 1 }).textContent()).toBe(names[0]!);
    for (const name of ["Members", "Search in this room"]) await opened(carol, name, async () => undefined);
    await opened(carol, "Find or create a room", async () => expect(await unfound(carol, typed, names)).toEqual([]));
    await opened(carol, "Jump to…", () => eventually(() => carol.locator("[role=option]").count()).toBe(rooms.length + 1));
    expect(await harm(carol)).toEqual([]);
  }, 500_000);

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
  }, 500_000);

  test("as display names for the real server: each is taken and shown beside the handle, or refused with a sentence", async () => {
    const accounts = await Server.start(["--auth", "link", "--rate", "20000", "--burst", "40000"]);
    onTestFinished(() => accounts.stop());
    const [alice, bob] = [await accounts.join(accounts.link("--owner"), "alice", guard), await accounts.join(accounts.link(), "bob")];
    await say(bob, "hello");
    await message(alice, "hello").waitFor();
    const answers = await bob.evaluate(async ({ url, names }) => {
      const asked = await fetch("/auth/ticket", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
      const { ticket } = (await asked.json()) as { ticket: string };
      const socket = new WebSocket(url, ["confab", ticket]);
      Object.assign(window, { socket });
      return new Promise<string[]>((resolve) => {
        const got: string[] = [];
        socket.onopen = () => {
          socket.send('{"action":"hello","id":"h"}');
          for (const [i, name] of names.entries()) socket.send(JSON.stringify({ action: "setName", id: `n${i}`, name }));
        };
        socket.onmessage = (e) => {
          const { event, id, message: why = "" } = JSON.parse(e.data as string) as { event: string; id?: string; message?: string };
          if (id?.startsWith("n") && got.push(event === "error" ? why : "taken") === names.length) resolve(got);
        };
      });
    }, { url: `${accounts.url.replace("http", "ws")}production`, names: all });
    expect(answers.filter((a) => a !== "taken" && !/\w+ \w+/.test(a))).toEqual([]);
    const taken = all.filter((_, i) => answers[i] === "taken");
    expect(taken.length).toBeGreaterThan(10);
    for (const name of taken) {
      await bob.evaluate((shown) => socket.send(JSON.stringify({ action: "setName", id: "s", name: shown })), name);
      await alice.evaluate(async (shown) => {
        const beside = (): string | undefined => document.querySelector(".author small")?.textContent?.normalize("NFC");
        while (beside() !== shown) await new Promise((next) => requestAnimationFrame(next));
      }, name.normalize("NFC"));
    }
    expect((await harm(alice)).filter((h) => !h.includes("401"))).toEqual([]);
  }, 500_000);
});
