// What is to be sent: kept over reloads, sent in order, one message of a room at a time, so that a
// repeated one cannot overtake. The server stores an id once, so repeating is always safe.
import { newId, type Clock, type Timer } from "./clock.ts";
import type { Keep } from "./keep.ts";
import type { Outgoing } from "./rows.ts";
import { RequestError } from "./session.ts";
import type { ClientAction, ServerEvent } from "../wire.ts";

export interface OutboxOptions {
  owner: string;
  keep: Keep;
  clock: Clock;
  send(action: ClientAction): Promise<ServerEvent>;
  /** room for one more: whether the session is open and takes another message. */
  ready(unacknowledged: number): boolean;
  /** onChange is told when what is on its way to a room has changed. */
  onChange(target: string): void;
}

/** targetOf names where a message goes: its room, or to: and the user while there is no room. */
export function targetOf(entry: { room: string; to?: string }): string {
  return entry.room || `to:${entry.to}`;
}

/** Codes after which the same message may be sent again by itself. */
const passing = new Set(["offline", "unavailable", "unknown_outcome", "rate_limited"]);

export class Outbox {
  private entries: Outgoing[] = [];
  private timer: Timer = null;

  constructor(private readonly options: OutboxOptions) {}

  /** load takes what an earlier visit left, to be sent first. */
  async load(): Promise<void> {
    const kept = await this.options.keep.outbox(this.options.owner);
    const known = new Set(this.entries.map((e) => e.id));
    const old = kept.filter((e) => !known.has(e.id)).map(({ owner: _, ...e }) => ({
      ...e, state: e.state === "failed" ? ("failed" as const) : ("waiting" as const),
    }));
    this.entries = [...old, ...this.entries];
    for (const target of new Set(old.map(targetOf))) this.options.onChange(target);
    this.flush();
  }

  /** of lists what is on its way to any of the targets, oldest first. */
  of(...targets: string[]): Outgoing[] {
    return this.entries.filter((e) => targets.includes(targetOf(e)));
  }

  get size(): number {
    return this.entries.length;
  }

  add(to: { room: string } | { to: string }, text: string): Outgoing {
    const entry: Outgoing = {
      id: newId(), room: "", ...to, text, state: "waiting",
      at: Math.max(this.options.clock.now(), (this.entries.at(-1)?.at ?? 0) + 1), // their order after a reload
    };
    this.entries.push(entry);
    void this.options.keep.putOutbox({ ...entry, owner: this.options.owner });
    this.options.onChange(targetOf(entry));
    this.flush();
    return entry;
  }

  /** stored removes a message that has arrived, whichever connection says so. */
  stored(id: string): void {
    const entry = this.entries.find((e) => e.id === id);
    if (!entry) return;
    this.entries = this.entries.filter((e) => e.id !== id);
    void this.options.keep.dropOutbox(id);
    this.options.onChange(targetOf(entry));
  }

  /** retry sends a failed message again, under the same id: it was not stored. */
  retry(id: string): void {
    const entry = this.entries.find((e) => e.id === id);
    if (!entry || entry.state !== "failed") return;
    this.change(entry, { state: "waiting", error: undefined });
    this.flush();
  }

  /** drop forgets a message that has not arrived. */
  drop(id: string): void {
    this.stored(id);
    this.flush();
  }

  /** flush sends what may be sent now. */
  flush(): void {
    const busy = new Set(this.entries.filter((e) => e.state === "sending").map(targetOf));
    for (const entry of this.entries) {
      const target = targetOf(entry);
      if (entry.state !== "waiting" || busy.has(target)) continue;
      if (!this.options.ready(this.entries.filter((e) => e.state === "sending").length)) return;
      busy.add(target);
      void this.send(entry);
    }
  }

  private async send(entry: Outgoing): Promise<void> {
    this.change(entry, { state: "sending" });
    const { id, room, to, text } = entry;
    try {
      await this.options.send({
        action: "sendMessage", id, message: text, ...(room ? { room } : { to }),
      });
      this.stored(id);
      this.flush();
    } catch (error) {
      this.failed(id, error instanceof RequestError ? error : new RequestError("internal", String(error)));
    }
  }

  private failed(id: string, error: RequestError): void {
    const entry = this.entries.find((e) => e.id === id);
    if (!entry) return;
    if (!passing.has(error.code)) {
      this.change(entry, { state: "failed", error: error.message || error.code });
      return this.flush();
    }
    this.change(entry, { state: "waiting" });
    if (error.code === "offline") return; // the next welcome sends it
    const { clock } = this.options;
    clock.cancel(this.timer);
    this.timer = clock.after(Math.max(error.retryAfterMs, 500), () => this.flush());
  }

  private change(entry: Outgoing, to: Partial<Outgoing>): void {
    const changed = { ...entry, ...to };
    this.entries = this.entries.map((e) => (e.id === entry.id ? changed : e));
    if (to.state === "failed" || entry.state === "failed")
      void this.options.keep.putOutbox({ ...changed, owner: this.options.owner });
    this.options.onChange(targetOf(changed));
  }
}
