import { beforeEach, describe, expect, test } from "vitest";
import { Memory } from "../src/core/keep.ts";
import { Outbox } from "../src/core/outbox.ts";
import { RequestError } from "../src/core/session.ts";
import type { ClientAction, ServerEvent } from "../src/wire.ts";
import { FakeClock, settled } from "./fakes.ts";

interface Sent {
  action: Extract<ClientAction, { action: "sendMessage" }>;
  stored(): Promise<void>;
  fail(code: RequestError["code"], retryAfterMs?: number): Promise<void>;
}

let clock: FakeClock;
let keep: Memory;
let sent: Sent[];
let open: boolean;

function make(): Outbox {
  return new Outbox({
    owner: "alice", keep, clock, onChange: () => undefined,
    ready: (n) => open && n < 2,
    send: (action) => new Promise<ServerEvent>((resolve, reject) => {
      sent.push({
        action: action as Sent["action"],
        stored: () => {
          resolve({ event: "sent" });
          return settled();
        },
        fail: (code, retryAfterMs = 0) => {
          reject(new RequestError(code, code, retryAfterMs));
          return settled();
        },
      });
    }),
  });
}

const texts = (): string[] => sent.map((s) => s.action.message);

beforeEach(() => {
  clock = new FakeClock();
  keep = new Memory();
  sent = [];
  open = true;
});

describe("Outbox", () => {
  test("sends at once, and keeps the message until it is acknowledged", async () => {
    const box = make();
    const { id } = box.add({ room: "tea" }, "hi");
    expect(sent[0]!.action).toEqual({ action: "sendMessage", id, room: "tea", message: "hi" });
    expect(box.of("tea")).toMatchObject([{ text: "hi", state: "sending" }]);
    expect(await keep.outbox("alice")).toHaveLength(1);
    await sent[0]!.stored();
    expect(box.of("tea")).toEqual([]);
    expect(await keep.outbox("alice")).toEqual([]);
  });

  test("keeps the order of a room: one message at a time", async () => {
    const box = make();
    box.add({ room: "tea" }, "1");
    box.add({ room: "tea" }, "2");
    box.add({ room: "den" }, "a");
    expect(texts()).toEqual(["1", "a"]);
    await sent[0]!.stored();
    expect(texts()).toEqual(["1", "a", "2"]);
  });

  test("has no more unacknowledged messages than the pipeline takes", () => {
    const box = make();
    for (const room of ["a", "b", "c"]) box.add({ room }, room);
    expect(texts()).toEqual(["a", "b"]);
  });

  test("waits offline, and sends in order on return, under the same ids", async () => {
    open = false;
    const box = make();
    const ids = ["1", "2", "3"].map((text) => box.add({ room: "tea" }, text).id);
    expect(sent).toEqual([]);
    open = true;
    box.flush();
    await sent[0]!.fail("offline");
    box.flush();
    await sent[1]!.stored();
    await sent[2]!.stored();
    expect(texts()).toEqual(["1", "1", "2", "3"]);
    expect(sent.map((s) => s.action.id)).toEqual([ids[0], ids[0], ids[1], ids[2]]);
  });

  test.each(["unavailable", "unknown_outcome", "rate_limited"] as const)(
    "repeats the same id after %s, when the server says", async (code) => {
      const box = make();
      box.add({ room: "tea" }, "hi");
      await sent[0]!.fail(code, 2_000);
      await clock.turn(1_999);
      expect(sent).toHaveLength(1);
      await clock.turn(1);
      expect(sent[1]!.action).toEqual(sent[0]!.action);
    });

  test.each(["not_found", "not_member", "forbidden", "too_large", "bad_field", "internal"] as const)(
    "keeps a message that failed with %s, to retry or delete", async (code) => {
      const box = make();
      const { id } = box.add({ room: "tea" }, "hi");
      box.add({ room: "tea" }, "next");
      await sent[0]!.fail(code);
      expect(box.of("tea")[0]).toMatchObject({ id, text: "hi", state: "failed", error: code });
      expect(texts()).toEqual(["hi", "next"]); // the others go on
      await clock.turn(60_000);
      expect(sent).toHaveLength(2);
      await sent[1]!.stored();
      box.retry(id);
      expect(texts()).toEqual(["hi", "next", "hi"]);
      await sent[2]!.fail(code);
      box.drop(id);
      expect(box.of("tea")).toEqual([]);
      expect(await keep.outbox("alice")).toEqual([]);
    });

  test("sends what an earlier visit left, before what is new; failed ones stay failed", async () => {
    await keep.putOutbox({ owner: "alice", id: "a", room: "tea", text: "old", at: 1, state: "sending" });
    await keep.putOutbox({ owner: "alice", id: "b", room: "den", text: "bad", at: 2, state: "failed", error: "no" });
    await keep.putOutbox({ owner: "bob", id: "c", room: "tea", text: "his", at: 0, state: "waiting" });
    open = false;
    const box = make();
    box.add({ room: "tea" }, "new");
    await box.load();
    open = true;
    box.flush();
    await sent[0]!.stored();
    expect(texts()).toEqual(["old", "new"]);
    expect(sent[0]!.action.id).toBe("a");
    expect(box.of("den")).toMatchObject([{ id: "b", state: "failed" }]);
  });

  test("keeps the order of what was written at once, over a reload", async () => {
    open = false;
    const box = make();
    const ids = ["1", "2", "3"].map((text) => box.add({ room: "tea" }, text).id);
    const kept = await keep.outbox("alice");
    expect(kept.map((e) => e.id)).toEqual(ids);
    expect(kept[0]!.at < kept[1]!.at && kept[1]!.at < kept[2]!.at).toBe(true); // by which a database sorts
  });

  test("takes a copy that another connection brought for the acknowledgement", async () => {
    const box = make();
    const { id } = box.add({ room: "tea" }, "hi");
    box.stored(id);
    await sent[0]!.fail("offline");
    expect(box.of("tea")).toEqual([]);
    expect(box.size).toBe(0);
  });
});
