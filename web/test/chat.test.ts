import { beforeEach, describe, expect, test } from "vitest";
import { Chat, peerOf, type News } from "../src/core/chat.ts";
import { Memory } from "../src/core/keep.ts";
import type { Welcome } from "../src/wire.ts";
import { FakeClock, message, settled, Sockets } from "./fakes.ts";

let clock: FakeClock;
let sockets: Sockets;
let keep: Memory;
let news: News[];

function make(): Chat {
  return new Chat({
    address: async () => ({ url: "ws://h/p", protocols: [] }),
    open: sockets.open, clock, random: () => 0, keep, onNews: (n) => news.push(n),
  });
}

async function opened(more: Partial<Welcome> = {}): Promise<Chat> {
  const chat = make();
  chat.session.start();
  await settled();
  sockets.last.open();
  sockets.last.welcome(more);
  await settled();
  return chat;
}

/** again loses the connection and comes back. */
async function again(more: Partial<Welcome> = {}): Promise<void> {
  sockets.last.end();
  await clock.turn(1);
  sockets.last.open();
  sockets.last.welcome(more);
  await settled();
}

beforeEach(() => {
  clock = new FakeClock();
  sockets = new Sockets();
  keep = new Memory();
  news = [];
});

function texts(chat: Chat, room = "lobby"): string[] {
  return chat.room(room)!.getSnapshot().rows.flatMap((r) =>
    r.type === "message" ? [r.text] : r.type === "pending" ? [`~${r.entry.text}`] : []);
}

describe("Chat", () => {
  test("keeps what is written before earlier drafts are read", async () => {
    await keep.putDraft("alice", "lobby", "old");
    await keep.putDraft("alice", "tea", "old");
    await keep.putDraft("alice", "den", "kept");
    const chat = make();
    chat.session.start();
    await settled();
    sockets.last.open();
    sockets.last.welcome();
    chat.setDraft("lobby", "new");
    chat.setDraft("tea", ""); // it was sent
    await settled();
    expect(["lobby", "tea", "den"].map((room) => chat.draft(room))).toEqual(["new", "", "kept"]);
  });

  test("keeps what is written on while the first message of a conversation is on its way", async () => {
    const chat = await opened();
    const begun = chat.direct("bob");
    chat.send(begun, "hi");
    chat.setDraft(begun.name, "and");
    const { id } = sockets.last.last("sendMessage");
    sockets.last.say(message(1, { id, room: "@alice,bob", from: "alice", message: "hi" }));
    await settled();
    expect(chat.draft(chat.direct("bob").name)).toBe("and");
    expect(await keep.drafts("alice")).toEqual(new Map([["@alice,bob", "and"]]));
  });

  test("shows one's own message at once, and once when it is acknowledged", async () => {
    const chat = await opened();
    chat.send(chat.room("lobby")!, "hi");
    expect(texts(chat)).toEqual(["~hi"]);
    const { id } = sockets.last.last("sendMessage");
    sockets.last.say(message(1, { id, from: "alice", message: "hi" }));
    await settled();
    expect(texts(chat)).toEqual(["hi"]);
    expect(chat.outbox!.size).toBe(0);
  });

  test("resumes with the cursor of each room, and shows nothing twice", async () => {
    const chat = await opened();
    sockets.last.say(message(1));
    chat.send(chat.room("lobby")!, "mine");
    const { id } = sockets.last.last("sendMessage");
    sockets.last.end();
    await clock.turn(1);
    sockets.last.open();
    expect(sockets.last.last("hello").resume).toEqual({ lobby: { epoch: "e", seq: 1 } });
    sockets.last.welcome({ rooms: [{ room: "lobby", seq: 3, epoch: "e", read: 0 }] });
    for (const seq of [2, 3]) sockets.last.say(message(seq, seq === 2 ? { id, from: "alice", message: "mine" } : {}));
    sockets.last.say({ event: "resumed", room: "lobby", seq: 3, more: false });
    await settled();
    expect(texts(chat)).toEqual(["text 1", "mine", "text 3"]);
    expect(chat.outbox!.size).toBe(0);
    await clock.turn(2_000);
    expect(sockets.last.count("history")).toBe(0);
  });

  test("sends what was written offline, in order", async () => {
    const chat = await opened();
    sockets.last.end();
    for (const text of ["one", "two"]) chat.send(chat.room("lobby")!, text);
    expect(texts(chat)).toEqual(["~one", "~two"]);
    await clock.turn(1);
    sockets.last.open();
    sockets.last.welcome();
    await settled();
    const first = sockets.last.last("sendMessage");
    expect(first.message).toBe("one");
    sockets.last.say(message(1, { id: first.id, from: "alice", message: "one" }));
    await settled();
    expect(sockets.last.last("sendMessage").message).toBe("two");
  });

  test("takes a repeated send for the acknowledgement", async () => {
    const chat = await opened();
    chat.send(chat.room("lobby")!, "hi");
    const { id } = sockets.last.last("sendMessage");
    sockets.last.say(message(1, { id, from: "alice", message: "hi" }));
    sockets.last.say(message(1, { id, from: "alice", message: "hi", duplicate: true }));
    expect(texts(chat)).toEqual(["hi"]);
  });

  test("drops from its outbox what another tab has sent", async () => {
    const chat = await opened();
    for (const text of ["one", "two"]) chat.send(chat.room("lobby")!, text);
    const waiting = chat.outbox!.of("lobby")[1]!;
    sockets.last.say(message(1, { id: waiting.id, from: "alice", message: "two" }));
    expect(texts(chat)).toEqual(["two", "~one"]);
  });

  test("keeps the draft of each room over visits", async () => {
    const chat = await opened();
    chat.setDraft("lobby", "half a sen");
    chat.setDraft("tea", "other");
    chat.setDraft("tea", "");
    const later = await opened();
    expect([later.draft("lobby"), later.draft("tea")]).toEqual(["half a sen", ""]);
  });

  test("tells the other devices what is read, once in a while, and hears it from them", async () => {
    const chat = await opened({ rooms: [{ room: "lobby", seq: 0, epoch: "e", read: 0 }] });
    const lobby = chat.room("lobby")!;
    for (const seq of [1, 2, 3]) sockets.last.say(message(seq));
    chat.markRead(lobby, 1);
    chat.markRead(lobby, 2);
    expect(sockets.last.count("read")).toBe(0);
    await clock.turn(400);
    expect(sockets.last.count("read")).toBe(1);
    expect(sockets.last.last("read")).toMatchObject({ room: "lobby", seq: 2 });
    sockets.last.say({ event: "read", room: "lobby", seq: 3 });
    expect(lobby.unread).toBe(0);
  });

  test("a direct room begins with its first message", async () => {
    const chat = await opened();
    const begun = chat.direct("bob");
    expect(begun.name).toBe("to:bob");
    chat.send(begun, "psst");
    expect(begun.getSnapshot().rows.at(-1)).toMatchObject({ type: "pending" });
    const { id, to, room } = sockets.last.last("sendMessage");
    expect([to, room]).toEqual(["bob", undefined]);
    sockets.last.say(message(1, { room: "@alice,bob", epoch: "q", id, from: "alice", message: "psst" }));
    await settled();
    expect(chat.direct("Bob").name).toBe("@alice,bob");
    expect(texts(chat, "@alice,bob")).toEqual(["psst"]);
    expect(chat.getSnapshot().rooms.map((r) => [r.kind, r.title, r.unread])).toEqual([["lobby", "lobby", 0], ["direct", "bob", 0]]);
  });

  test("a direct message of somebody new is a room with something unread", async () => {
    const chat = await opened();
    sockets.last.say(message(1, { room: "@alice,bob", epoch: "q" }));
    expect(chat.getSnapshot().rooms[1]).toMatchObject({ kind: "direct", peer: "bob", unread: 1, mentions: 1 });
    expect(news).toMatchObject([{ direct: true, mention: false }]);
  });

  test("tells of news in order: not of one's own, nor of what is read", async () => {
    const chat = await opened();
    sockets.last.say(message(1, { from: "alice" }));
    sockets.last.say(message(3, { message: "@alice look" }));
    sockets.last.say(message(2));
    sockets.last.say(message(3, { message: "@alice look" }));
    expect(news.map((n) => [n.item.seq, n.mention])).toEqual([[2, false], [3, true]]);
    expect(chat.room("lobby")!.read).toBe(1);
  });

  test("follows joining, leaving and being removed, on whichever device", async () => {
    const chat = await opened();
    const joining = chat.join("tea");
    sockets.last.say({ event: "joined", id: sockets.last.last("joinRoom").id, room: "tea", seq: 7, epoch: "p" });
    expect((await joining).name).toBe("tea");
    sockets.last.say({ event: "joined", room: "den", seq: 0, epoch: "z" });
    expect(chat.getSnapshot().rooms.map((r) => r.name)).toEqual(["lobby", "den", "tea"]);
    expect(chat.getSnapshot().rooms.map((r) => r.unread)).toEqual([0, 0, 0]);
    const leaving = chat.leave("tea");
    sockets.last.say({ event: "left", id: sockets.last.last("leaveRoom").id, room: "tea" });
    await leaving;
    sockets.last.say({ event: "removed", room: "den", reason: "left on another device" });
    expect(chat.getSnapshot().rooms.map((r) => r.name)).toEqual(["lobby"]);
  });

  test("what was said in a room before one joined is read, for the server too", async () => {
    const chat = await opened();
    sockets.last.say({ event: "joined", room: "tea", seq: 7, epoch: "t" });
    await settled();
    expect(chat.room("tea")!.unread).toBe(0);
    expect(sockets.last.last("read")).toMatchObject({ room: "tea", seq: 7 });
  });

  test("loses rooms that a new welcome does not name", async () => {
    const chat = await opened();
    sockets.last.say({ event: "joined", room: "den", seq: 0, epoch: "z" });
    await again();
    expect(chat.getSnapshot().rooms.map((r) => r.name)).toEqual(["lobby"]);
  });

  test("shows invitations until they are taken up", async () => {
    const chat = await opened();
    sockets.last.say({ event: "invited", room: "den", user: "alice", by: "bob" });
    expect(chat.getSnapshot().invitations).toEqual([{ room: "den", by: "bob" }]);
    sockets.last.say({ event: "joined", room: "den", seq: 0, epoch: "z" });
    expect(chat.getSnapshot().invitations).toEqual([]);
  });

  test("knows who is here: asked on welcome, then told", async () => {
    const chat = await opened();
    const { id } = sockets.last.last("users");
    sockets.last.say({ event: "users", id, users: [{ user: "bob", online: true }, { user: "carol", online: false }], more: false });
    await settled();
    expect([...chat.getSnapshot().online]).toEqual(["bob"]);
    sockets.last.say({ event: "presence", room: "tea", online: ["carol"], offline: ["bob"] });
    expect([...chat.getSnapshot().online]).toEqual(["carol"]);
    expect(chat.getSnapshot().people).toEqual(["bob", "carol"]);
  });

  test("shows the names that users have beside their user names", async () => {
    const chat = await opened({ name: "Alice O'Hara" });
    const { id } = sockets.last.last("users");
    sockets.last.say({ event: "users", id, users: [{ user: "bob", name: "Bob", online: true }], more: false });
    await settled();
    expect([...chat.getSnapshot().names]).toEqual([["alice", "Alice O'Hara"], ["bob", "Bob"]]);
    sockets.last.say({ event: "profile", user: "bob", name: "" });
    expect([...chat.getSnapshot().names.keys()]).toEqual(["alice"]);
  });

  test("deletes after the time to undo, and says when that was refused", async () => {
    const chat = await opened();
    const lobby = chat.room("lobby")!;
    sockets.last.say(message(1, { from: "alice" }));
    let why = "";
    chat.remove(lobby, 1, (e) => (why = e.message));
    await clock.turn(4_999);
    expect(sockets.last.count("deleteMessage")).toBe(0);
    await clock.turn(1);
    sockets.last.say({ event: "error", id: sockets.last.last("deleteMessage").id, code: "forbidden", message: "not yours" });
    await settled();
    expect(why).toBe("not yours");
    chat.remove(lobby, 1, () => undefined);
    await clock.turn(5_000);
    sockets.last.say({ event: "deleted", id: sockets.last.last("deleteMessage").id, room: "lobby", seq: 1, by: "alice" });
    await settled();
    expect(lobby.find(1)).toEqual({ kind: "deleted", seq: 1 });
  });

  test("tells that one types at most every 5 s", async () => {
    const chat = await opened();
    const lobby = chat.room("lobby")!;
    for (let i = 0; i < 5; i++) chat.typingIn(lobby);
    expect(sockets.last.count("typing")).toBe(1);
    await clock.turn(5_000);
    chat.typingIn(lobby);
    expect(sockets.last.count("typing")).toBe(2);
  });

  test("reads all pages of a list", async () => {
    const chat = await opened();
    const asked = chat.members("tea");
    sockets.last.say({ event: "members", id: sockets.last.last("members").id, room: "tea", members: [{ user: "a", online: true }], more: true });
    await settled();
    expect(sockets.last.last("members").after).toBe("a");
    sockets.last.say({ event: "members", id: sockets.last.last("members").id, room: "tea", members: [{ user: "b", online: false }], more: false });
    expect((await asked).map((p) => p.user)).toEqual(["a", "b"]);
  });
});

test("peerOf gives the other user of a direct room", () => {
  expect([peerOf("@alice,bob", "alice"), peerOf("@alice,bob", "Bob"), peerOf("@bob,bob", "bob"), peerOf("tea", "bob")])
    .toEqual(["bob", "alice", "bob", ""]);
});
