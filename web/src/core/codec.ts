// Frames as the protocol has them. Members and events that are not known are ignored, as
// docs/protocol.md asks of both sides.
import { eventShapes, limits, shapes, type ClientAction, type ServerEvent } from "../wire.ts";

/** A shape is the members of an object, each with its kind. */
type Shape = [name: string, kind: string][];

/** pairs reads a list of words with a colon inside. */
function pairs(text: string): Shape {
  return text.split(" ").map((word) => word.split(":") as [string, string]);
}

const events = new Map(pairs(eventShapes));
const known = new Map<string, Shape>();

/** shapeOf gives a shape by its name, read from its text once. */
function shapeOf(name: string): Shape {
  let shape = known.get(name);
  if (!shape) known.set(name, (shape = pairs(shapes[name]!)));
  return shape;
}

/** FrameError says why a frame was refused; it names the member at fault. */
export class FrameError extends Error {}

/** decodeEvent reads a frame of the server; null is an event of a newer one. */
export function decodeEvent(frame: string): ServerEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    throw new FrameError("the frame is not the JSON of an event");
  }
  if (!isObject(value)) throw new FrameError("the frame is not the JSON object of an event");
  const name = value.event;
  if (typeof name !== "string" || name === "") throw new FrameError("the frame names no event");
  const shape = events.get(name);
  if (!shape) return null;
  const event = { event: name, ...read(value, shapeOf(shape)) } as unknown as ServerEvent;
  if (event.event === "history") for (const m of event.messages) m.room ??= event.room; // as items omit it
  return event;
}

/** encodeAction writes a frame; members that are undefined are left out. */
export function encodeAction(action: ClientAction): string {
  return JSON.stringify(action);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** read takes an object's known members; what is missing and not optional is zero. */
function read(from: Record<string, unknown>, shape: Shape): Record<string, unknown> {
  const to: Record<string, unknown> = {};
  for (const [name, word] of shape) {
    const optional = word.endsWith("?");
    const kind = optional ? word.slice(0, -1) : word;
    const value = Object.hasOwn(from, name) ? from[name] : undefined;
    if (value !== undefined && value !== null) to[name] = member(name, value, kind);
    else if (!optional) to[name] = zero(kind);
  }
  return to;
}

function member(name: string, value: unknown, kind: string): unknown {
  if (kind.endsWith("[]")) {
    if (!Array.isArray(value)) throw new FrameError(`${name} is no list`);
    return value.map((item) => member(name, item, kind.slice(0, -2)));
  }
  switch (kind) {
    case "any":
      return value;
    case "number":
      if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= limits.integer)
        return value;
      throw new FrameError(`${name} is no number of the protocol`);
    case "string":
    case "boolean":
      if (typeof value === kind) return value;
      throw new FrameError(`${name} is no ${kind}`);
  }
  if (!isObject(value)) throw new FrameError(`${name} is no object`);
  return read(value, shapeOf(kind));
}

function zero(kind: string): unknown {
  if (kind.endsWith("[]")) return [];
  return { string: "", number: 0, boolean: false }[kind] ?? null;
}
