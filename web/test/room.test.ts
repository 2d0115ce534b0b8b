import { beforeEach, describe, expect, test } from "vitest";
import { Room, roomTimes, type Fetch } from "../src/core/room.ts";
import type { Row } from "../src/core/rows.ts";
import { RequestError } from "../src/core/session.ts";
import type { Message } from "../src/wire.ts";
import { FakeClock, message, settled } from "./fakes.ts";

let clock: FakeClock;
let asked: Parameters<Fetch>[0][];
let log: Message[];
let failing: RequestError | null;

/** fetch answers from a log, as the server does. */
const fetch: Fetch = async (q) => {
  asked.push(q);
  if (failing) throw failing;
  const head = log.at(-1)?.seq ?? 0;
  let page = log.filter((m) => (q.after === undefined || m.seq > q.after) && (q.before === undefined || m.seq < q.before));
  const more = page.length > q.limit;
  page = q.after === undefined ? page.slice(-q.limit) : page.slice(0, q.limit);
  return { room: "lobby", messages: page, more, seq: head, epoch: "e" };
};

function make(head = 0, read = head): Room {
  return new Room("lobby", { epoch: "e", seq: head }, read, { me: "alice", clock, fetch });
}

/** texts lists what a person sees, in order. */
function texts(room: Room): string[] {
  return room.getSnapshot().rows.map((r: Row) => {
    if (r.type === "message") return r.text;
    if (r.type === "pending") return `~${r.entry.text}`;
    return r.type;
  });
}

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  failing = null;
  log = Array.from({ length: 300 }, (_, i) => message(i + 1));
});

describe("Room", () => {
  test("shows messages in their order, each once", () => {
    const room = make();
    for (const seq of [1, 2, 2, 1, 3]) room.receive(message(seq));
    expect(texts(room)).toEqual(["start", "day", "text 1", "text 2", "text 3"]);
  });

  test("holds a message whose number is too high, and shows it when the gap closes", async () => {
    const room = make();
    room.receive(message(1));
    room.receive(message(3));
    expect(texts(room)).toEqual(["start", "day", "text 1"]);
    room.receive(message(2));
    expect(texts(room)).toEqual(["start", "day", "text 1", "text 2", "text 3"]);
    await clock.turn(5_000);
    expect(asked).toEqual([]);
  });

  test("fetches what is missing after 300 ms", async () => {
    log = log.slice(0, 3);
    const room = make();
    room.receive(message(1));
    room.receive(message(3));
    await clock.turn(roomTimes.hold - 1);
    expect(asked).toEqual([]);
    await clock.turn(1);
    expect(asked).toEqual([{ room: "lobby", after: 1, limit: 200 }]);
    expect(texts(room)).toEqual(["start", "day", "text 1", "text 2", "text 3"]);
  });

  test("asks again after 1 s for a number that is given and not stored yet", async () => {
    log = [message(1)];
    const room = make();
    room.receive(message(1));
    room.receive(message(3));
    await clock.turn(roomTimes.hold);
    expect(asked).toHaveLength(1);
    log = [message(1), { seq: 2, void: true }, message(3)];
    await clock.turn(roomTimes.again - 1);
    expect(asked).toHaveLength(1);
    await clock.turn(1);
    expect(texts(room)).toEqual(["start", "day", "text 1", "text 3"]);
  });

  test("notices by a heartbeat that the last message was lost", async () => {
    log = log.slice(0, 2);
    const room = make();
    room.receive(message(1));
    room.headIs({ epoch: "e", seq: 2 });
    await clock.turn(roomTimes.hold);
    expect(texts(room)).toEqual(["start", "day", "text 1", "text 2"]);
  });

  test("asks nothing while offline", async () => {
    failing = new RequestError("offline", "offline");
    const room = make();
    room.receive(message(2));
    await clock.turn(60_000);
    expect(asked).toHaveLength(1);
  });

  test("leaves a gap where too much was missed, and fills it from either side", async () => {
    const room = make();
    room.receive(message(1));
    room.resumed(1, false);
    room.headIs({ epoch: "e", seq: 1 });
    const rest = log;
    room.receive(message(2));
    room.resumed(300, true);
    await settled();
    log = rest;
    expect(texts(room).slice(0, 5)).toEqual(["start", "day", "text 1", "text 2", "gap"]);
    expect(texts(room).at(-1)).toBe("text 300");
    await room.fill(2, 251, false);
    expect(texts(room).indexOf("gap")).toBe(4 + 50);
    await room.fill(52, 251, true);
    expect(texts(room)[texts(room).indexOf("gap") + 1]).toBe("text 201");
    await room.fill(52, 201, true);
    await room.fill(52, 151, true);
    await room.fill(52, 101, true);
    expect(texts(room)).not.toContain("gap");
    expect(texts(room).filter((x) => x.startsWith("text"))).toHaveLength(300);
  });

  test("loads older pages until the start", async () => {
    log = log.slice(0, 70);
    const room = make(70);
    expect(room.getSnapshot().atStart).toBe(false);
    await room.older();
    expect(asked).toEqual([{ room: "lobby", before: 71, limit: 50 }]);
    expect(texts(room)[0]).toBe("text 21");
    await room.older();
    expect(texts(room).slice(0, 3)).toEqual(["start", "day", "text 1"]);
    await room.older();
    expect(asked).toHaveLength(2);
  });

  test("says that a page failed and loads it when asked again", async () => {
    const room = make(300);
    failing = new RequestError("unavailable", "no");
    await room.older();
    expect(room.getSnapshot()).toMatchObject({ failed: true, loading: false });
    failing = null;
    await room.older();
    expect(room.getSnapshot()).toMatchObject({ failed: false });
    expect(texts(room).at(-1)).toBe("text 300");
  });

  test("loads a linked message and what stands about it", async () => {
    const room = make(300);
    await room.older();
    await room.around(100);
    const seen = texts(room);
    expect(seen.indexOf("text 100")).toBeGreaterThan(10);
    expect(seen).toContain("text 120");
    expect(seen).toContain("gap");
    expect(seen.at(-1)).toBe("text 300");
  });

  test("drops a room whose log is another one, and reads it anew", async () => {
    const room = make();
    room.receive(message(1));
    room.reset("n4m5", 1);
    expect(texts(room)).toEqual(["start"]);
    expect(room.cursor).toEqual({ epoch: "n4m5", seq: 0 });
    room.receive(message(1)); // of the old log
    expect(texts(room)).toEqual(["start"]);
    room.receive(message(1, { epoch: "n4m5", message: "new" }));
    expect(texts(room)).toEqual(["start", "day", "new"]);
  });

  test("takes numbers that the server keeps no more for no gap", async () => {
    log = [message(5), message(6)];
    const kept: Fetch = async (q) => ({ ...(await fetch(q)), firstSeq: 5 });
    const room = new Room("lobby", { epoch: "e", seq: 0 }, 0, { me: "alice", clock, fetch: kept });
    room.receive(message(1));
    room.headIs({ epoch: "e", seq: 6 });
    await clock.turn(roomTimes.hold + 5_000);
    expect(texts(room)).toEqual(["start", "day", "text 1", "text 5", "text 6"]);
    expect(asked).toHaveLength(1);
  });

  test("shows a tombstone for a deleted message, and nothing for a number never used", () => {
    const room = make();
    room.receive(message(1));
    room.receive({ seq: 2, void: true });
    room.receive(message(3));
    room.deleted(3);
    expect(texts(room)).toEqual(["start", "day", "text 1", "deleted"]);
    expect(JSON.stringify(room.getSnapshot())).not.toContain("text 3");
  });

  test("takes the text away that a resume says is deleted", () => {
    const room = make();
    room.receive(message(1));
    room.receive({ seq: 1, deleted: true });
    expect(texts(room)).toEqual(["start", "deleted"]);
  });

  test("hides a message that is about to be deleted, until that is taken back", async () => {
    const room = make();
    room.receive(message(1));
    let sent = 0;
    room.later(1, 5_000, () => sent++);
    expect(room.getSnapshot().rows[2]).toMatchObject({ type: "message", undo: true });
    room.keep(1);
    await clock.turn(10_000);
    expect(sent).toBe(0);
    expect(room.getSnapshot().rows[2]).toMatchObject({ type: "message", undo: false });
    room.later(1, 5_000, () => sent++);
    await clock.turn(5_000);
    expect(sent).toBe(1);
  });

  test("counts what is unread, and what of it names this user", () => {
    const room = make();
    room.receive(message(1, { message: "hi @Alice!" }));
    room.receive(message(2, { message: "mail me@alice or @alicia" }));
    expect([room.unread, room.mentions]).toEqual([2, 1]);
    room.markRead(1);
    expect([room.unread, room.mentions]).toEqual([1, 0]);
    room.markRead(0);
    expect(room.unread).toBe(1);
  });

  test("puts the divider before the first unread message, where it stays while one reads", () => {
    const room = make();
    room.receive(message(1));
    room.markRead(1);
    room.receive(message(2));
    room.divide();
    room.receive(message(3));
    room.markRead(3);
    expect(texts(room)).toEqual(["start", "day", "text 1", "new", "text 2", "text 3"]);
    room.divide();
    expect(texts(room)).not.toContain("new");
  });

  test("tells who types, until a message comes or 6 s are over", async () => {
    const room = make();
    room.typing("bob");
    room.typing("carol");
    expect(room.getSnapshot().typing).toEqual(["bob", "carol"]);
    room.receive(message(1));
    expect(room.getSnapshot().typing).toEqual(["carol"]);
    await clock.turn(roomTimes.typing);
    expect(room.getSnapshot().typing).toEqual([]);
  });

  test("groups an author's messages within five minutes, and separates days", () => {
    const room = make();
    const at = (h: number, m: number): string => new Date(2026, 10, 20, h, m).toISOString();
    room.receive(message(1, { at: at(23, 50) }));
    room.receive(message(2, { at: at(23, 52) }));
    room.receive(message(3, { at: at(23, 53), from: "carol" }));
    room.receive(message(4, { at: at(24, 1), from: "carol" }));
    room.receive(message(5, { at: at(24, 7), from: "carol" }));
    const { rows } = room.getSnapshot();
    expect(rows.map((r) => (r.type === "message" ? r.grouped : r.type))).toEqual(
      ["start", "day", false, true, false, "day", false, false]);
  });

  test("keeps the heading of a message that was the first one, when older ones come: below it nothing moves", async () => {
    log = log.slice(0, 70).map((m) => ({ ...m, at: log[0]!.at! }));
    const room = make(70);
    await room.older();
    const heads = (): number[] => room.getSnapshot().rows.flatMap((r) => (r.type === "message" && !r.grouped ? [r.seq] : []));
    expect(heads()).toEqual([21]);
    await room.older();
    expect(heads()).toEqual([1, 21]);
  });

  test("puts no divider where the first unread message may not be loaded yet", async () => {
    log = log.map((m) => ({ ...m, at: log[0]!.at! }));
    const room = make(300, 200);
    room.divide();
    await room.older();
    expect(texts(room)).not.toContain("new");
    expect(texts(room)[0]).toBe("text 251");
    await room.older();
    expect(texts(room).slice(0, 2)).toEqual(["new", "text 201"]); // no older one is unread
    await room.older();
    expect(texts(room).slice(49, 52)).toEqual(["text 200", "new", "text 201"]);
  });

  test("loads of many unread messages the newest, and those where one left off", async () => {
    const room = make(300, 20);
    await room.loadUnread();
    room.divide();
    const seen = texts(room);
    expect(seen.slice(seen.indexOf("new") - 1, seen.indexOf("new") + 2)).toEqual(["text 20", "new", "text 21"]);
    expect(seen.slice(seen.indexOf("gap") - 1, seen.indexOf("gap") + 2)).toEqual(["text 46", "gap", "text 101"]);
    expect(seen.at(-1)).toBe("text 300");
    expect(asked).toHaveLength(3);
    asked = [];
    await make(300, 0).loadUnread(); // somebody new begins at the end
    expect(asked).toEqual([{ room: "lobby", before: 301, limit: 200 }]);
  });

  test("puts the divider before a gap in which the first unread message is", async () => {
    const room = make();
    for (const seq of [1, 2]) room.receive(message(seq));
    room.markRead(2);
    room.resumed(300, true);
    await settled();
    room.divide();
    expect(texts(room).slice(0, 7)).toEqual(["start", "day", "text 1", "text 2", "new", "gap", "text 251"]);
    await room.fill(2, 251, true);
    expect(texts(room).slice(3, 7)).toEqual(["text 2", "new", "gap", "text 201"]);
  });

  test("keeps a row's key when one's own message is acknowledged", () => {
    const room = make();
    const entry = { id: "m1", room: "lobby", text: "hi", at: clock.now(), state: "sending" as const };
    room.pending([entry]);
    const before = room.getSnapshot().rows.at(-1)!.key;
    room.receive(message(1, { id: "m1", from: "alice", message: "hi" }));
    room.pending([]);
    expect(room.getSnapshot().rows.at(-1)!.key).toBe(before);
    expect(texts(room)).toEqual(["start", "day", "hi"]);
  });
});
