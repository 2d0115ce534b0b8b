// What is loaded of a room's log: runs of consecutive messages, ascending and apart from one another.
// The last run is the live one, which new messages join.
import type { Message } from "../wire.ts";

/** Item is a message, a tombstone or a number that was never used. */
export type Item =
  | { kind: "message"; seq: number; id: string; from: string; text: string; at: number }
  | { kind: "deleted"; seq: number }
  | { kind: "void"; seq: number };

/** itemOf reads a message of a frame. */
export function itemOf(m: Message): Item {
  if (m.void) return { kind: "void", seq: m.seq };
  if (m.deleted) return { kind: "deleted", seq: m.seq };
  return {
    kind: "message", seq: m.seq, id: m.id ?? "", from: m.from ?? "", text: m.message ?? "",
    at: Date.parse(m.at ?? "") || 0,
  };
}

/** Run holds the numbers from first on without a hole; it may be empty, before the next message. */
export interface Run {
  first: number;
  items: Item[];
}

/** last is the last number of a run; of an empty one the number before its first. */
export function last(run: Run): number {
  return run.first + run.items.length - 1;
}

export class Runs {
  /** runs has at least one, the live one, at its end. */
  runs: Run[];

  constructor(head: number) {
    this.runs = [{ first: head + 1, items: [] }];
  }

  get live(): Run {
    return this.runs[this.runs.length - 1]!;
  }

  /** tail is the last number up to which everything since the live run's first is here. */
  get tail(): number {
    return last(this.live);
  }

  find(seq: number): Item | undefined {
    const run = this.runs.find((r) => r.first <= seq && seq <= last(r));
    return run?.items[seq - run.first];
  }

  /** replace puts another item at a number that is loaded. */
  replace(item: Item): boolean {
    const run = this.runs.find((r) => r.first <= item.seq && item.seq <= last(r));
    if (!run) return false;
    run.items[item.seq - run.first] = item;
    return true;
  }

  /** insert adds consecutive items and joins the runs that they touch. */
  insert(items: Item[]): void {
    const from = items[0];
    if (!from) return;
    let joined: Run = { first: from.seq, items };
    const apart: Run[] = [];
    for (const run of this.runs) {
      const touches = run.first <= last(joined) + 1 && joined.first <= last(run) + 1;
      if (touches) joined = join(run, joined);
      else apart.push(run);
    }
    this.runs = [...apart, joined].sort((a, b) => a.first - b.first);
  }

  /** cut begins a new live run after head: between it and the old one is a gap. */
  cut(head: number): void {
    if (head <= this.tail) return;
    if (this.live.items.length === 0) this.live.first = head + 1;
    else this.runs.push({ first: head + 1, items: [] });
  }
}

/** join makes one run of two that touch or overlap; of both, the newer's items count. */
function join(older: Run, newer: Run): Run {
  const first = Math.min(older.first, newer.first);
  const end = Math.max(last(older), last(newer));
  if (older.first === first && last(older) < newer.first) {
    older.items.push(...newer.items); // the usual case, a new message, costs no copy
    return older;
  }
  const items: Item[] = [];
  for (let seq = first; seq <= end; seq++) {
    const item = newer.items[seq - newer.first] ?? older.items[seq - older.first];
    if (item) items.push(item);
  }
  return { first, items };
}
