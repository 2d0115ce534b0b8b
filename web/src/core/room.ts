// The timeline of one room: messages, those on their way, gaps and tombstones. No framework.
import { Signal, type Clock, type Timer } from "./clock.ts";
import { itemOf, Runs, type Item } from "./runs.ts";
import { names } from "./mentions.ts";
import { RequestError } from "./session.ts";
import { rowsOf, type Outgoing, type Row } from "./rows.ts";
import type { Cursor, History, Message } from "../wire.ts";

/** Fetch asks the server for a page of a room's history. */
export type Fetch = (q: { room: string; after?: number; before?: number; limit: number }) => Promise<History>;

export interface RoomOptions {
  me: string;
  clock: Clock;
  fetch: Fetch;
  /** onMessage is told of each new message, once, in order. */
  onMessage?(room: Room, item: Item & { kind: "message" }): void;
}

/** View is what a timeline shows. */
export interface View {
  rows: readonly Row[];
  atStart: boolean;
  loading: boolean;
  failed: boolean; // the last page could not be loaded
  unread: number;
  typing: readonly string[];
}

export const roomTimes = {
  hold: 300, // a message whose number is too high waits so long before what is missing is fetched
  again: 1_000, // a number that is given and not stored yet is asked for again after this
  typing: 6_000, // who typed is shown so long
} as const;

const page = 50;
const most = 200; // messages of one page (docs/protocol.md, Limits)

export class Room extends Signal {
  epoch: string;
  head: number;
  read: number;
  private log: Runs;
  private held = new Map<number, Item>();
  private holding: Timer = null;
  private fetching = false;
  private floor = 1;
  private queue: Outgoing[] = [];
  private undo = new Map<number, Timer>();
  private typists = new Map<string, Timer>();
  private newAfter: number | null = null;
  private heads = new Set<number>(); // messages that were the first of a run: their heading stays
  private naming = new Set<number>(); // unread messages that name this user
  private loading = 0;
  private failed = false;
  private view: View | null = null;

  constructor(
    readonly name: string, head: Cursor, read: number, private readonly options: RoomOptions,
  ) {
    super();
    this.epoch = head.epoch;
    this.head = head.seq;
    this.read = read;
    this.log = new Runs(head.seq);
  }

  getSnapshot = (): View => {
    this.view ??= {
      rows: rowsOf({
        runs: this.log.runs, floor: this.floor, pending: this.queue, me: this.options.me,
        newAfter: this.newAfter, undo: new Set(this.undo.keys()), heads: this.heads,
      }),
      atStart: this.atStart,
      loading: this.loading > 0,
      failed: this.failed,
      unread: this.unread,
      typing: [...this.typists.keys()],
    };
    return this.view;
  };

  /** cursor is how far everything is here, for hello. */
  get cursor(): Cursor {
    return { epoch: this.epoch, seq: this.log.tail };
  }

  /** unread is how many numbers are above the read marker: voids count until they are known. */
  get unread(): number {
    return Math.max(0, this.head - this.read);
  }

  /** mentions is how many unread messages name this user, of those that are loaded. */
  get mentions(): number {
    return this.naming.size;
  }

  get atStart(): boolean {
    return this.log.runs[0]!.first <= this.floor;
  }

  find(seq: number): Item | undefined {
    return this.log.find(seq);
  }

  /** items are all loaded ones, oldest first. */
  *items(): Iterable<Item> {
    for (const run of this.log.runs) yield* run.items;
  }

  /** receive takes a pushed or resumed message: in its turn, once. */
  receive(m: Message): void {
    if (m.epoch && m.epoch !== this.epoch && this.epoch) return; // of a log that is gone
    this.epoch ||= m.epoch ?? "";
    const item = itemOf(m);
    this.head = Math.max(this.head, item.seq);
    if (item.seq <= this.log.tail) {
      if (item.kind === "deleted") this.log.replace(item);
    } else {
      this.held.set(item.seq, item);
      this.drain();
    }
    if (item.kind === "message") this.quiet(item.from);
    this.update();
  }

  /** deleted takes the text of a message away. */
  deleted(seq: number): void {
    this.options.clock.cancel(this.undo.get(seq));
    this.undo.delete(seq);
    if (this.held.has(seq)) this.held.set(seq, { kind: "deleted", seq });
    this.log.replace({ kind: "deleted", seq });
    this.naming.delete(seq);
    this.update();
  }

  /** headIs takes the room's head from a heartbeat: what is missing is fetched. */
  headIs(head: Cursor): void {
    if (this.epoch && head.epoch !== this.epoch) return this.reset(head.epoch, 1, head.seq);
    this.epoch = head.epoch;
    this.head = Math.max(this.head, head.seq);
    this.failed = false; // the server is there again
    if (this.head > this.log.tail) this.hold();
    this.update();
  }

  /** resumed ends what was missed; with more of it a gap stays, filled as it comes into sight. */
  resumed(seq: number, more: boolean): void {
    this.head = Math.max(this.head, seq);
    if (more) {
      this.log.cut(this.head);
      void this.page(this.log.live.first, page);
    }
    this.update();
  }

  /** reset drops what is here: the room's log is another one. */
  reset(epoch: string, firstSeq: number, head = 0): void {
    this.epoch = epoch;
    this.floor = Math.max(1, firstSeq);
    this.head = Math.max(head, this.floor - 1);
    this.log = new Runs(this.head);
    this.held.clear();
    this.naming.clear();
    this.heads.clear();
    this.newAfter = null;
    this.read = Math.min(this.read, this.head);
    this.update();
  }

  /** keptFrom takes the first number that the server still keeps: lower ones are no gap. */
  keptFrom(firstSeq: number): void {
    this.floor = Math.max(this.floor, firstSeq);
    this.log.cut(firstSeq - 1);
  }

  /** markRead moves the marker, never back. */
  markRead(seq: number): void {
    if (seq <= this.read) return;
    this.read = seq;
    for (const n of this.naming) if (n <= seq) this.naming.delete(n);
    this.update();
  }

  /** divide puts the divider before the first unread message; it stays while one reads. */
  divide(): void {
    this.newAfter = this.unread > 0 ? this.read : null;
    this.update();
  }

  /** pending replaces what is on its way. */
  pending(entries: Outgoing[]): void {
    this.queue = entries;
    this.update();
  }

  typing(user: string): void {
    const { clock } = this.options;
    clock.cancel(this.typists.get(user));
    this.typists.set(user, clock.after(roomTimes.typing, () => this.quiet(user)));
    this.update();
  }

  private quiet(user: string): void {
    if (!this.typists.has(user)) return;
    this.options.clock.cancel(this.typists.get(user));
    this.typists.delete(user);
    this.update();
  }

  /** later hides a message and runs something when the time to undo is over. */
  later(seq: number, ms: number, run: () => void): void {
    this.undo.set(seq, this.options.clock.after(ms, run));
    this.update();
  }

  /** keep takes a deletion back that has not been sent. */
  keep(seq: number): void {
    this.options.clock.cancel(this.undo.get(seq));
    this.undo.delete(seq);
    this.update();
  }

  /** older loads the page before the first message. */
  older(limit = page): Promise<void> {
    if (this.atStart || this.loading > 0) return Promise.resolve();
    return this.page(this.log.runs[0]!.first, limit);
  }

  /** fill loads a part of a gap: its end for who comes from below, its beginning for who comes from above. */
  async fill(after: number, before: number, fromBelow: boolean): Promise<void> {
    if (this.loading > 0) return;
    if (fromBelow) await this.page(before, page);
    else await this.load({ after, limit: page });
  }

  /** around loads a message and what stands about it. */
  async around(seq: number): Promise<void> {
    if (this.log.find(seq)) return;
    await this.page(seq + 1, page / 2);
    if (this.log.find(seq) && seq < this.head) await this.load({ after: seq, limit: page / 2 });
  }

  /**
   * loadUnread loads unread messages at once: whether they name this user is to be shown. Of more than a
   * page these are the newest, and where one left off, unless one was never here.
   */
  async loadUnread(): Promise<void> {
    if (this.unread > most - 20 && this.read > 0) await this.around(this.read + 1);
    await this.page(this.head + 1, Math.min(most, this.unread + 20));
  }

  private async page(before: number, limit: number): Promise<void> {
    const got = await this.load({ before, limit: Math.min(limit, most) });
    if (got && !got.more) this.floor = Math.max(this.floor, got.messages[0]?.seq ?? before);
    this.update();
  }

  private async load(q: { after?: number; before?: number; limit: number }): Promise<History | null> {
    this.loading++;
    this.update();
    try {
      const got = await this.options.fetch({ room: this.name, ...q });
      if (got.epoch !== this.epoch) return null;
      this.keptFrom(got.firstSeq ?? 0);
      const items = got.messages.map(itemOf);
      for (const item of items) this.look(item);
      for (const run of this.log.runs) {
        const head = run.items.find((i) => i.kind === "message");
        if (head) this.heads.add(head.seq);
      }
      this.log.insert(items);
      this.head = Math.max(this.head, got.seq);
      this.failed = false;
      return got;
    } catch {
      this.failed = true;
      return null;
    } finally {
      this.loading--;
      this.update();
    }
  }

  /** drain shows held messages whose turn it is, and waits for those that are missing. */
  private drain(): void {
    for (let next = this.held.get(this.log.tail + 1); next; next = this.held.get(this.log.tail + 1)) {
      this.held.delete(next.seq);
      this.log.insert([next]);
      this.look(next);
      if (next.kind === "message") this.options.onMessage?.(this, next);
    }
    for (const seq of this.held.keys()) if (seq <= this.log.tail) this.held.delete(seq);
    if (this.held.size > 0) this.hold();
  }

  /** look notes an unread message that names this user. */
  private look(item: Item): void {
    if (item.kind === "message" && item.seq > this.read && names(item.text, this.options.me)) this.naming.add(item.seq);
  }

  private hold(ms: number = roomTimes.hold): void {
    if (this.holding !== null || this.fetching) return;
    this.holding = this.options.clock.after(ms, () => {
      this.holding = null;
      if (this.head > this.log.tail) void this.catchUp();
    });
  }

  /** catchUp fetches what is missing after the last message that is shown. */
  private async catchUp(): Promise<void> {
    this.fetching = true;
    let wait: number = roomTimes.again;
    try {
      const after = this.log.tail;
      const got = await this.options.fetch({ room: this.name, after, limit: most });
      if (got.epoch !== this.epoch) return;
      this.keptFrom(got.firstSeq ?? 0);
      this.head = Math.max(this.head, got.seq);
      for (const m of got.messages) if (m.seq > this.log.tail) this.held.set(m.seq, itemOf(m));
      this.drain();
      if (this.log.tail > after) wait = 0;
      this.failed = false;
    } catch (error) {
      // Offline there is nothing to ask: the next welcome brings the heads again.
      wait = error instanceof RequestError && error.code === "offline" ? -1 : roomTimes.again * 3;
    } finally {
      this.fetching = false;
      this.update();
      if (wait >= 0 && this.head > this.log.tail) this.hold(wait);
    }
  }

  private update(): void {
    this.view = null;
    this.changed();
  }
}
