import { beforeEach, describe, expect, test } from "vitest";
import { RequestError, Session, SignedOutError, times } from "../src/core/session.ts";
import type { Cursor, ServerEvent } from "../src/wire.ts";
import { FakeClock, settled, Sockets } from "./fakes.ts";

let clock: FakeClock;
let sockets: Sockets;
let events: ServerEvent[];
let cursors: Record<string, Cursor>;
let random: number;
let address: () => Promise<{ url: string; protocols: string[] }>;

function make(): Session {
  return new Session({
    address: () => address(), open: sockets.open, cursors: () => cursors, clock, random: () => random,
    onEvent: (e) => events.push(e),
  });
}

async function opened(more = {}): Promise<Session> {
  const session = make();
  session.start();
  await settled();
  sockets.last.open();
  sockets.last.welcome(more);
  await settled();
  return session;
}

beforeEach(() => {
  clock = new FakeClock();
  sockets = new Sockets();
  events = [];
  cursors = {};
  random = 0.5;
  address = async () => ({ url: "ws://h/production?name=alice", protocols: [] });
});

describe("Session", () => {
  test("says hello with the cursors of its rooms, and is open on welcome", async () => {
    cursors = { tea: { epoch: "p0q2", seq: 5 } };
    const session = make();
    session.start();
    await settled();
    expect(session.getSnapshot().phase).toBe("connecting");
    sockets.last.open();
    expect(sockets.last.last("hello").resume).toEqual(cursors);
    sockets.last.welcome();
    expect(session.getSnapshot()).toEqual({ phase: "open" });
    expect(events.map((e) => e.event)).toEqual(["welcome"]);
    expect(session.details()).toMatchObject({ connectionId: "c1", server: "0.1.0", connects: 1 });
  });

  test("gives an answer to who asked, and an error with its code", async () => {
    const session = await opened();
    const asked = session.request({ action: "members", room: "tea" });
    const { id } = sockets.last.last("members");
    sockets.last.say({ event: "error", id, code: "not_found", message: "no room", requestId: "r-1" });
    await expect(asked).rejects.toMatchObject({ code: "not_found", message: "no room", requestId: "r-1" });
    expect(session.details().lastError).toMatchObject({ code: "not_found", requestId: "r-1" });
    const again = session.request({ action: "users" });
    sockets.last.say({ event: "users", id: sockets.last.last("users").id, users: [], more: false });
    await expect(again).resolves.toMatchObject({ event: "users" });
  });

  test("fails what waits when the connection ends, and takes nothing while offline", async () => {
    const session = await opened();
    const asked = session.request({ action: "users" });
    sockets.last.end();
    await expect(asked).rejects.toMatchObject({ code: "offline" });
    await expect(session.request({ action: "users" })).rejects.toBeInstanceOf(RequestError);
  });

  test("waits for no answer to what it posts: typing has none", async () => {
    const session = await opened({ heartbeatSeconds: 60 });
    session.post({ action: "typing", room: "tea" });
    expect(sockets.last.last("typing")).toEqual({ action: "typing", room: "tea" });
    await clock.turn(times.answer + 1);
    expect(session.getSnapshot()).toEqual({ phase: "open" });
  });

  test("pings every heartbeat and measures the latency", async () => {
    const session = await opened();
    await clock.turn(9_999);
    expect(sockets.last.count("ping")).toBe(0);
    await clock.turn(1);
    expect(sockets.last.count("ping")).toBe(1);
    await clock.turn(40);
    sockets.last.say({ event: "pong", id: sockets.last.last("ping").id, rooms: [] });
    await settled();
    expect(session.details().latencyMs).toBe(40);
    await clock.turn(10_000);
    expect(sockets.last.count("ping")).toBe(2);
  });

  test("gives a connection up that answers no heartbeat", async () => {
    const session = await opened();
    const first = sockets.last;
    await clock.turn(10_000 + times.pong);
    expect(first.closed).toBe(1000);
    expect(session.getSnapshot().phase).toBe("waiting");
    await clock.turn(500);
    expect(sockets.all).toHaveLength(2);
  });

  test("backs off with full jitter: a random part of 1 s, doubling to 30 s", async () => {
    const session = make();
    session.start();
    await settled();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      sockets.last.end();
      const state = session.getSnapshot();
      if (state.phase !== "waiting") throw new Error(state.phase);
      waits.push(state.until - clock.now());
      await clock.turn(state.until - clock.now());
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    random = 0;
    sockets.last.end();
    expect(session.getSnapshot()).toMatchObject({ until: clock.now() });
  });

  test("starts the back-off anew after a connection that held", async () => {
    const session = await opened({ heartbeatSeconds: 60 });
    await clock.turn(times.steady + 1);
    sockets.last.end();
    expect(session.getSnapshot()).toMatchObject({ phase: "waiting", until: clock.now() + 500 });
  });

  test("remembers since when it is away over all tries", async () => {
    const session = await opened();
    const since = clock.now();
    sockets.last.end();
    await clock.turn(600);
    expect(session.getSnapshot()).toMatchObject({ phase: "connecting", since });
    sockets.last.end();
    expect(session.getSnapshot()).toMatchObject({ phase: "waiting", since });
  });

  test("connects at once when asked to", async () => {
    const session = await opened();
    sockets.last.end();
    session.now();
    await settled();
    expect(sockets.all).toHaveLength(2);
  });

  test.each([1002, 1003, 1007, 1009])("does not repeat what the server refused with %i", async (code) => {
    const session = await opened();
    sockets.last.end(code);
    expect(session.getSnapshot()).toEqual({ phase: "stopped", reason: "refused" });
  });

  test.each([1008, 1013])("comes later and slower after %i", async (code) => {
    const session = await opened();
    sockets.last.end(code);
    expect(session.getSnapshot()).toMatchObject({ until: clock.now() + 4_000 });
  });

  test("waits as long as a restarting server asks", async () => {
    const session = await opened();
    sockets.last.say({ event: "reconnect", afterMs: 2_500 });
    expect(sockets.all[0]!.closed).toBe(1000);
    expect(session.getSnapshot()).toMatchObject({ phase: "waiting", until: clock.now() + 2_500 });
    await clock.turn(2_499);
    expect(sockets.all).toHaveLength(1);
    await clock.turn(1);
    expect(sockets.all).toHaveLength(2);
  });

  test("rotates before the end of its life: opens, resumes, then closes the old", async () => {
    cursors = { lobby: { epoch: "e", seq: 3 } };
    const session = await opened({ maxConnectionSeconds: 7_200, heartbeatSeconds: 9_000 });
    const old = sockets.last;
    await clock.turn(7_200_000 * (0.75 + 0.17 * 0.5) - 1);
    expect(sockets.all).toHaveLength(1);
    await clock.turn(1);
    expect(sockets.all).toHaveLength(2);
    expect(session.getSnapshot()).toEqual({ phase: "open" });
    const asked = session.request({ action: "users" }); // still on the old one
    sockets.last.open();
    expect(sockets.last.last("hello").resume).toEqual(cursors);
    sockets.last.welcome({ maxConnectionSeconds: 7_200, connectionId: "c2" });
    old.say({ event: "users", id: old.last("users").id, users: [], more: false });
    await expect(asked).resolves.toMatchObject({ event: "users" });
    expect(old.closed).toBeNull();
    await clock.turn(times.linger);
    expect(old.closed).toBe(1000);
    expect(session.details().connectionId).toBe("c2");
    expect(session.getSnapshot()).toEqual({ phase: "open" });
  });

  test("keeps the old connection when the rotated one fails, and tries again", async () => {
    const session = await opened({ maxConnectionSeconds: 100, heartbeatSeconds: 9_000 });
    await clock.turn(83_500);
    sockets.last.end();
    expect(session.getSnapshot()).toEqual({ phase: "open" });
    await clock.turn(times.retryRotation);
    expect(sockets.all).toHaveLength(3);
  });

  test("stops when nobody is signed in any more", async () => {
    address = async () => {
      throw new SignedOutError("sign in first");
    };
    const session = make();
    session.start();
    await settled();
    expect(session.getSnapshot()).toEqual({ phase: "stopped", reason: "signed-out" });
  });

  test("drops an answer to connecting that came too late", async () => {
    const session = make();
    session.start();
    session.stop();
    await settled();
    expect(sockets.all).toHaveLength(0);
    expect(session.getSnapshot()).toEqual({ phase: "stopped", reason: "ended" });
  });
});
