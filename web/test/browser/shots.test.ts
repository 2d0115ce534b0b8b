// The pictures of the README: no test, but a scene that is set by the fixture of the tests. It runs only when
// asked for (web/README.md), and wants a font with emoji in colour, as Debian's fonts-noto-color-emoji.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { composer, message, say, Server } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "confab-shots-"));
const day = 24 * 60; // minutes

/** said is what was said before, by whom and how many minutes ago. */
const said: Record<string, [from: string, ago: number, text: string][]> = {
  lobby: [
    ["dave", 3 * day, "Welcome! The lobby is for everybody."],
    ["alice", 2 * day, "Hello all 👋"],
  ],
  design: [["dave", day + 90, "New icons are in. Opinions?"]],
  release: [
    ["bob", day + 40, "The branch for 1.4 is open. Who takes the notes?"],
    ["alice", day + 32, "I do."],
    ["bob", day + 31, "🎉"],
    ["alice", 58, "The notes are ready. In short:\n\n- **offline**: what you write waits, and is sent in order on return\n"
      + "- nothing is lost, nothing shows twice\n- one program, one folder"],
    ["dave", 44, "> nothing shows twice\n\nI pulled the plug twenty times yesterday. It held."],
    ["dave", 43, "Who wants to try it at home:\n\n```sh\ngo run ./cmd/confab serve\n```"],
    ["carol", 31, "Runs here. Does it work on my phone too?"],
    ["bob", 12, "It does, in the dark as well. @carol could you read the notes once more before we tag?"],
    ["alice", 4, "They are in `docs/notes.md` now."],
  ],
  tea: [["alice", 200, "The kettle is on."], ["bob", 9, "Two minutes!"]],
  "@alice,carol": [["alice", 75, "Lunch at one?"], ["carol", 74, "Yes, please."]],
  "@bob,carol": [["carol", 2 * day, "Thank you for the review!"], ["bob", 7, "The tag is yours if you like."]],
};

/** read is how many messages of each room carol has read. */
const read: Record<string, number> = { lobby: 2, design: 1, release: 7, tea: 1, "@alice,carol": 2, "@bob,carol": 1 };

/** lines makes an export of it: docs/export.md. */
function lines(): string {
  const rooms = Object.keys(said);
  const kind = (room: string): string => (room === "lobby" ? "lobby" : room.startsWith("@") ? "direct" : "public");
  const users = (room: string): string[] =>
    room.startsWith("@") ? room.slice(1).split(",") : room === "lobby" ? [] : ["alice", "bob", "carol", "dave"];
  const messages = rooms.flatMap((room) => said[room]!.map(([from, ago, text], i) =>
    ({ type: "message", room, seq: i + 1, id: `m${i}`, from, at: new Date(Date.now() - ago * 60_000).toISOString(), text })));
  const all: object[] = [
    ...rooms.map((room) => ({
      type: "room", room, name: room, kind: kind(room), epoch: "scene", seq: said[room]!.length,
      ...(kind(room) === "public" ? { owner: "alice" } : {}),
    })),
    ...["alice", "bob", "carol", "dave"].map((name) => ({ type: "user", name, since: new Date(0).toISOString() })),
    ...rooms.flatMap((room) => users(room).map((user) => ({ type: "member", room, user, state: "joined" }))),
    ...rooms.map((room) => ({ type: "read", room, user: "carol", seq: read[room]! })),
    ...messages.sort((a, b) => a.at.localeCompare(b.at)),
  ];
  const whole = [{ type: "confab-export", version: 1 }, ...all, { type: "end", lines: all.length }];
  return whole.map((line) => `${JSON.stringify(line)}\n`).join("");
}

let server: Server;
beforeAll(async () => {
  const file = join(folder, "scene.jsonl");
  writeFileSync(file, lines());
  const data = join(folder, "data");
  execFileSync(process.env.CONFAB_PROGRAM ?? "../confab", ["import", file, "--data", data]);
  server = await Server.start(["--data", data]);
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** take writes a picture of a page into docs, small: WebP. */
async function take(page: Page, name: string): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await page.waitForTimeout(500); // fonts, and what moves
  const { data } = await devtools.send("Page.captureScreenshot", { format: "webp", quality: 82 });
  writeFileSync(`../docs/${name}.webp`, Buffer.from(data, "base64"));
}

const phone: BrowserContextOptions = { viewport: { width: 390, height: 760 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

test("the pictures of the README", async () => {
  await server.person("alice");
  const bob = await server.person("bob", {}, "#/release");
  const list = await server.person("carol", { ...phone, colorScheme: "light" }, "#/lobby");
  await list.getByRole("button", { name: "Back to the list of rooms" }).click();
  await take(list, "page-list");
  const desktop = await server.person("carol", { viewport: { width: 1180, height: 760 }, deviceScaleFactor: 2, colorScheme: "light" }, "#/lobby");
  await desktop.getByRole("link", { name: /release/ }).click();
  await message(desktop, "Runs here. Does it work on my phone too?").waitFor();
  await composer(bob).pressSequentially("One more");
  await desktop.getByText("bob is typing…").waitFor();
  await take(desktop, "page");
  const dark = await server.person("carol", { ...phone, colorScheme: "dark" }, "#/release");
  await message(dark, "Runs here. Does it work on my phone too?").waitFor();
  await take(dark, "page-phone");
  await server.kill();
  await dark.getByText("No connection.").waitFor();
  await say(dark, "Reading them on the train 🚆");
  await say(dark, "This goes out after the tunnel.");
  await dark.getByText("2 messages wait to be sent.").waitFor();
  await take(dark, "page-offline");
});
