// A clock, a socket and a server that tests turn by hand.
import type { Clock } from "../src/core/clock.ts";
import type { Address, Socket } from "../src/core/session.ts";
import type { ClientAction, Message, ServerEvent } from "../src/wire.ts";

/** settled lets everything that is already decided happen. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

interface Alarm {
  at: number;
  run: () => void;
}

/** FakeClock stands still until a test turns it. */
export class FakeClock implements Clock {
  private time = Date.UTC(2026, 10, 21, 12);
  private alarms = new Set<Alarm>();

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): Alarm {
    const alarm = { at: this.time + ms, run };
    this.alarms.add(alarm);
    return alarm;
  }

  cancel(alarm: unknown): void {
    this.alarms.delete(alarm as Alarm);
  }

  /** turn lets time pass; what is due runs in order. */
  async turn(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.alarms].filter((a) => a.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.time = Math.max(this.time, due.at);
      this.alarms.delete(due);
      due.run();
      await settled();
    }
    this.time = end;
    await settled();
  }
}

/** FakeSocket is one connection as the server sees it. */
export class FakeSocket implements Socket {
  onopen: ((e: never) => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number; reason: string }) => void) | null = null;
  sent: ClientAction[] = [];
  closed: number | null = null;

  constructor(readonly address: Address) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientAction);
  }

  close(code = 1005): void {
    this.closed = code;
  }

  /** open is the handshake done. */
  open(): void {
    this.onopen?.(undefined as never);
  }

  /** say sends an event to the page. */
  say(event: ServerEvent | Record<string, unknown>): void {
    this.onmessage?.({ data: JSON.stringify(event) });
  }

  /** end is the connection lost, or closed by the server. */
  end(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason });
  }

  /** last gives the newest action of a name. */
  last<A extends ClientAction["action"]>(action: A): Extract<ClientAction, { action: A }> {
    const found = this.sent.filter((a) => a.action === action).at(-1);
    if (!found) throw new Error(`no ${action} among ${JSON.stringify(this.sent)}`);
    return found as Extract<ClientAction, { action: A }>;
  }

  count(action: ClientAction["action"]): number {
    return this.sent.filter((a) => a.action === action).length;
  }

  /** welcome greets who has said hello. */
  welcome(more: Partial<Extract<ServerEvent, { event: "welcome" }>> = {}): void {
    this.say({
      event: "welcome", id: this.last("hello").id, protocol: 1, server: "0.1.0", user: "alice",
      connectionId: "c1", heartbeatSeconds: 10, pipeline: 32,
      rooms: [{ room: "lobby", seq: 0, epoch: "e", read: 0 }], ...more,
    });
  }
}

/** Sockets hands out fake sockets and remembers them. */
export class Sockets {
  all: FakeSocket[] = [];
  open = (address: Address): FakeSocket => {
    const socket = new FakeSocket(address);
    this.all.push(socket);
    return socket;
  };

  get last(): FakeSocket {
    return this.all[this.all.length - 1]!;
  }
}

/** message makes a message as the server sends it. */
export function message(seq: number, more: Partial<Message> = {}): { event: "message" } & Message {
  const at = new Date(Date.UTC(2026, 10, 21, 12) + seq * 1_000).toISOString();
  return { event: "message", room: "lobby", seq, epoch: "e", id: `i${seq}`, from: "bob", message: `text ${seq}`, at, ...more };
}
