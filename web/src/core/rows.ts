// The rows of a timeline: what a person sees, made of what is loaded and what is to be sent.
import type { Item, Run } from "./runs.ts";
import { last } from "./runs.ts";

/** Outgoing is a message of this user on its way to the server. */
export interface Outgoing {
  id: string;
  room: string; // "" while a direct room has no id yet
  to?: string; // of a direct message: the other user
  text: string;
  at: number;
  state: "waiting" | "sending" | "failed";
  error?: string; // why it failed
}

/** Row is one line of a timeline. Keys are stable: a message keeps its key when it is acknowledged. */
export type Row =
  | { type: "start"; key: string }
  | { type: "day"; key: string; at: number }
  | { type: "new"; key: string }
  | { type: "gap"; key: string; after: number; before: number }
  | {
      type: "message"; key: string; seq: number; id: string; from: string; text: string; at: number;
      grouped: boolean; mine: boolean; undo: boolean;
    }
  | { type: "deleted"; key: string; seq: number }
  | { type: "pending"; key: string; entry: Outgoing; grouped: boolean };

export interface Timeline {
  runs: Run[];
  floor: number; // the first number that exists
  pending: Outgoing[];
  me: string;
  newAfter: number | null; // the divider stands after this number
  undo: ReadonlySet<number>; // numbers that are about to be deleted
  heads: ReadonlySet<number>; // numbers that were shown with a heading, and keep it
}

/** Messages of one author within this time share a heading. */
const groupWithin = 5 * 60_000;

/** rowsOf lists the rows, oldest first. */
export function rowsOf(t: Timeline): Row[] {
  const rows: Row[] = [];
  const first = t.runs[0]!.first;
  if (first <= t.floor) rows.push({ type: "start", key: "start" });
  const writer = new Writer(rows, t);
  t.runs.forEach((run, i) => {
    if (i > 0 && run.first > t.floor) writer.gap(last(t.runs[i - 1]!), run.first);
    for (const item of run.items) writer.item(item);
  });
  for (const entry of t.pending) writer.pending(entry);
  return rows;
}

/** Writer appends rows and knows what stands before. */
class Writer {
  private author = "";
  private at = 0;
  private day = "";
  private divided = false;

  constructor(private readonly rows: Row[], private readonly t: Timeline) {}

  gap(after: number, before: number): void {
    if (before - after <= 1) return;
    this.divide(after + 1);
    this.rows.push({ type: "gap", key: `gap:${after}`, after, before });
    this.author = "";
  }

  item(item: Item): void {
    if (item.kind === "void") return;
    if (item.kind === "deleted") {
      this.divide(item.seq);
      this.rows.push({ type: "deleted", key: `s:${item.seq}`, seq: item.seq });
      this.author = "";
      return;
    }
    const { seq, id, from, text, at } = item;
    this.separate(at);
    this.divide(seq);
    const mine = from === this.t.me;
    this.rows.push({
      type: "message", key: mine && id ? `m:${id}` : `s:${seq}`, seq, id, from, text, at,
      grouped: this.group(from, at) && !this.t.heads.has(seq), mine, undo: this.t.undo.has(seq),
    });
  }

  pending(entry: Outgoing): void {
    this.separate(entry.at);
    const grouped = this.group(this.t.me, entry.at);
    this.rows.push({ type: "pending", key: `m:${entry.id}`, entry, grouped });
  }

  /**
   * separate puts a line between days of this person's calendar. Before the first row there is none
   * while older ones can come: what is in sight would move when they do.
   */
  private separate(at: number): void {
    const day = new Date(at).toDateString();
    if (day === this.day) return;
    this.day = day;
    this.author = "";
    if (this.rows.length === 0) return;
    this.rows.push({ type: "day", key: `day:${day}`, at });
  }

  /**
   * divide puts the divider before the first unread message. Where that may be one that is not loaded yet,
   * there is none: it would move away from what one reads.
   */
  private divide(seq: number): void {
    const { newAfter } = this.t;
    if (this.divided || newAfter === null || seq <= newAfter) return;
    this.divided = true;
    const before = this.rows[this.rows.length - 1];
    if (seq > newAfter + 1 && (!before || before.type === "gap")) return;
    this.author = "";
    this.rows.push({ type: "new", key: "new" });
  }

  private group(author: string, at: number): boolean {
    const same = author === this.author && Math.abs(at - this.at) < groupWithin;
    this.author = author;
    this.at = at;
    return same;
  }
}
