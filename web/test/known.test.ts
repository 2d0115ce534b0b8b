// What is there before the first welcome: the page may have been opened without the network.
import { beforeEach, describe, expect, test } from "vitest";
import { Chat } from "../src/core/chat.ts";
import { Memory } from "../src/core/keep.ts";
import type { Welcome } from "../src/wire.ts";
import { FakeClock, message, settled, Sockets } from "./fakes.ts";

let clock: FakeClock;
let sockets: Sockets;
let keep: Memory;
let told: string[];

async function make(...known: string[]): Promise<Chat> {
  const chat = new Chat({
    address: async () => ({ url: "ws://h/p", protocols: [] }),
    open: sockets.open, clock, random: () => 0, keep, known, onKnown: (now) => (told = now),
  });
  chat.session.start();
  await settled();
  return chat;
}

async function welcome(more: Partial<Welcome> = {}): Promise<void> {
  sockets.last.open();
  sockets.last.welcome(more);
  await settled();
}

const head = (room: string): Welcome["rooms"][number] => ({ room, seq: 0, epoch: "e", read: 0 });

/** sent lists the messages that have left, in order. */
const sent = (): string[] => sockets.last.sent.flatMap((a) => (a.action === "sendMessage" ? [a.message] : []));

/** stores acknowledges the last message that has left. */
async function stores(seq: number): Promise<void> {
  const { id, room } = sockets.last.last("sendMessage");
  sockets.last.say(message(seq, { id, room, from: "alice" }));
  await settled();
}

beforeEach(() => {
  clock = new FakeClock();
  sockets = new Sockets();
  keep = new Memory();
  told = [];
});

describe("a chat before its first welcome", () => {
  test("is of nobody where nobody was", async () => {
    const chat = await make();
    expect(chat.getSnapshot()).toMatchObject({ me: "", rooms: [] });
  });

  test("has the rooms of the last visit, with drafts and what waits, and does not claim to know more", async () => {
    await keep.putOutbox({ owner: "alice", id: "a", room: "tea", text: "old", at: 1, state: "waiting" });
    await keep.putOutbox({ owner: "alice", id: "b", room: "", to: "bob", text: "psst", at: 2, state: "waiting" });
    await keep.putDraft("alice", "tea", "half");
    const chat = await make("alice", "lobby", "tea", "@alice,carol");
    const { me, rooms } = chat.getSnapshot();
    expect(me).toBe("alice");
    expect(rooms.map((r) => [r.name, r.kind, r.title, r.unread])).toEqual([
      ["lobby", "lobby", "lobby", 0], ["tea", "room", "tea", 0],
      ["to:bob", "direct", "bob", 0], ["@alice,carol", "direct", "carol", 0],
    ]);
    expect(chat.draft("tea")).toBe("half");
    const tea = chat.room("tea")!;
    expect(tea.getSnapshot().atStart).toBe(false);
    expect(tea.getSnapshot().rows.filter((r) => r.type !== "day")).toMatchObject([{ type: "pending", entry: { text: "old" } }]);
    await tea.older();
    expect(tea.getSnapshot().failed).toBe(true);
  });

  test("sends what is written in it after what waits, in order, once", async () => {
    await keep.putOutbox({ owner: "alice", id: "a", room: "tea", text: "one", at: 1, state: "waiting" });
    const chat = await make("alice", "lobby", "tea");
    chat.send(chat.room("tea")!, "two");
    const known = chat.room("tea");
    await welcome({ rooms: [head("lobby"), head("tea")] });
    expect(sockets.last.last("hello").resume).toEqual({}); // nothing of a room is here to go on from
    expect(chat.room("tea")).not.toBe(known);
    expect(sent()).toEqual(["one"]);
    await stores(1);
    expect(sent()).toEqual(["one", "two"]);
    await stores(2);
    expect([sent(), chat.outbox!.size, chat.room("tea")!.getSnapshot().rows.filter((r) => r.type === "pending")])
      .toEqual([["one", "two"], 0, []]);
  });

  test("loses rooms that the welcome does not name, however long that is", async () => {
    const chat = await make("alice", "lobby", "gone");
    await welcome({ rooms: [head("lobby"), ...Array.from({ length: 399 }, (_, i) => head(`r${i}`))] });
    expect(chat.room("gone")).toBeUndefined();
    expect(chat.getSnapshot().rooms).toHaveLength(400);
  });

  test("shows and sends nothing of somebody else than who is welcomed", async () => {
    await keep.putOutbox({ owner: "alice", id: "a", room: "tea", text: "hers", at: 1, state: "waiting" });
    await keep.putDraft("alice", "lobby", "hers too");
    const chat = await make("alice", "lobby", "tea", "@alice,bob");
    const hers = chat.outbox!;
    await welcome({ user: "bob", rooms: [head("lobby")] });
    expect(chat.getSnapshot()).toMatchObject({ me: "bob", rooms: [{ name: "lobby" }] });
    expect([chat.draft("lobby"), chat.outbox!.size]).toEqual(["", 0]);
    hers.flush();
    expect(sent()).toEqual([]);
    expect(await keep.outbox("alice")).toHaveLength(1); // it waits for her
    expect(told).toEqual(["bob", "lobby"]);
  });

  test("has new rooms, with nothing of the former user in them, when another one is welcomed later", async () => {
    const chat = await make();
    await welcome();
    chat.send(chat.direct("bob"), "psst");
    sockets.last.say(message(1, { from: "alice", message: "hers" }));
    const hers = chat.room("lobby");
    sockets.last.end();
    await clock.turn(1);
    await welcome({ user: "bob" });
    expect(chat.room("lobby")).not.toBe(hers);
    expect(chat.room("lobby")!.getSnapshot().rows).toEqual([expect.objectContaining({ type: "start" })]);
    expect(sent()).toEqual([]);
  });

  test("is told anew as rooms come and go", async () => {
    const chat = await make();
    await welcome();
    expect(told).toEqual(["alice", "lobby"]);
    sockets.last.say({ event: "joined", room: "tea", seq: 0, epoch: "z" });
    expect(told).toEqual(["alice", "lobby", "tea"]);
    sockets.last.say(message(1, { room: "@alice,bob", epoch: "q" }));
    expect(told).toEqual(["alice", "lobby", "tea", "@alice,bob"]);
    sockets.last.say({ event: "removed", room: "tea", reason: "left on another device" });
    expect(told).toEqual(["alice", "lobby", "@alice,bob"]);
    expect(chat.getSnapshot().rooms).toHaveLength(2);
  });
});

test("a page of messages that could not be loaded is asked for again after the next welcome", async () => {
  const chat = await make();
  await welcome({ rooms: [{ room: "lobby", seq: 9, epoch: "e", read: 9 }] });
  sockets.last.end();
  const lobby = chat.room("lobby")!;
  await lobby.older();
  expect(lobby.getSnapshot().failed).toBe(true);
  await clock.turn(1);
  await welcome({ rooms: [{ room: "lobby", seq: 9, epoch: "e", read: 9 }] });
  expect(lobby.getSnapshot().failed).toBe(false);
});
