import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeEvent, encodeAction } from "../src/core/codec.ts";
import type { ClientAction } from "../src/wire.ts";

// The files that Go's codec is tested with; wire/testdata/README.md says what their members mean.
function vectors<T>(name: string): T[] {
  return JSON.parse(readFileSync(`../wire/testdata/${name}.json`, "utf8")) as T[];
}

interface EventVector {
  name: string;
  event?: string;
  fields?: Record<string, unknown>;
  frame: string;
  only?: "encode" | "decode";
  error?: string;
}

/** asOnWire gives the fields of a message their names in frames. */
function asOnWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asOnWire);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k === "text" ? "message" : k, k === "example" || k === "message" ? v : asOnWire(v)]),
  );
}

describe("decodeEvent reads the vectors of wire/testdata/events.json", () => {
  const all = vectors<EventVector>("events").filter((v) => v.only !== "encode");
  test.each(all.map((v) => [v.name, v] as const))("%s", (_, v) => {
    if (v.error) {
      expect(() => decodeEvent(v.frame)).toThrow(v.error);
      return;
    }
    const got = decodeEvent(v.frame);
    if (v.event === "unknown") {
      expect(got).toBeNull();
      return;
    }
    expect(got).toMatchObject({ event: v.event, ...(asOnWire(v.fields) as object) });
  });
});

test("decodeEvent gives a missing member its zero, as Go does", () => {
  expect(decodeEvent('{"event":"rooms"}')).toEqual({ event: "rooms", rooms: [], more: false });
});

test("decodeEvent takes no member from a prototype", () => {
  expect(decodeEvent('{"event":"constructor"}')).toBeNull();
  expect(decodeEvent('{"event":"message","seq":1,"__proto__":{"from":"eve"}}')).toEqual({ event: "message", seq: 1 });
});

interface ActionVector {
  name: string;
  frame: string;
  dialect?: string;
  expand?: unknown;
  error?: unknown;
  want?: Record<string, unknown>;
}

/** Members of the decoded action that frames call otherwise. */
const members: Record<string, string> = { name: "action", text: "message", cursor: "after", newName: "name" };

/** actionOf makes the action that a vector decodes to. */
function actionOf(want: Record<string, unknown>): ClientAction {
  const action = Object.fromEntries(Object.entries(want).map(([k, v]) => [members[k] ?? k, v]));
  if (Array.isArray(want.resume))
    action.resume = Object.fromEntries(want.resume.map(({ room, ...cursor }: { room: string }) => [room, cursor]));
  if (typeof want.payload === "string") {
    action.message = JSON.parse(want.payload);
    delete action.payload;
  }
  return action as unknown as ClientAction;
}

/** Accepted frames that say more than the action: what is ignored, or only other clients write. */
const odd = /ignore|levels|normalization|escape|expand|resumes nothing|from the start|unknown|bytes|not private/;

describe("encodeAction writes the vectors of wire/testdata/actions.json", () => {
  const all = vectors<ActionVector>("actions").filter(
    (v) => v.want && !v.dialect && !v.expand && !v.want.alias && !v.want.endpoint && !odd.test(v.name),
  );
  test.each(all.map((v) => [v.name, v] as const))("%s", (_, v) => {
    expect(JSON.parse(encodeAction(actionOf(v.want!)))).toEqual(JSON.parse(v.frame));
  });
  test("and there are some of every action that the page sends", () => {
    const sent = new Set(all.map((v) => v.want!.name));
    for (const name of ["hello", "joinRoom", "leaveRoom", "invite", "sendMessage", "deleteMessage", "history", "read",
      "ping", "rooms", "members", "users", "typing"]) expect(sent).toContain(name);
  });
});
