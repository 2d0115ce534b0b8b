// One connection to the server that comes back by itself: heartbeat, back-off with full jitter,
// resume by cursors, planned rotation. It knows frames, not rooms; and no framework.
import { newId, Signal, type Clock, type Timer } from "./clock.ts";
import { decodeEvent, encodeAction } from "./codec.ts";
import type { ClientAction, Cursor, ErrorCode, Failure, ServerEvent, Welcome } from "../wire.ts";

/** Socket is what of a WebSocket is used. */
export interface Socket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((e: never) => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: ((e: { code: number; reason: string }) => void) | null;
}

/** Address is where to connect and the sub-protocols to offer. */
export interface Address {
  url: string;
  protocols: string[];
}

export interface SessionOptions {
  /** address says where to connect; it is asked before each connection, for a fresh ticket. */
  address(): Promise<Address>;
  open(address: Address): Socket;
  /** cursors says how far each room is shown. */
  cursors(): Record<string, Cursor>;
  clock: Clock;
  /** random gives a number from 0 to below 1. */
  random(): number;
  onEvent(event: ServerEvent): void;
}

/** Where a session stands. */
export type SessionState =
  | { phase: "connecting"; since: number }
  | { phase: "open" }
  | { phase: "waiting"; since: number; until: number }
  | { phase: "stopped"; reason: StopReason };

/** Why a session no longer tries: it was ended, must sign in, or the server refuses its frames. */
export type StopReason = "ended" | "signed-out" | "refused";

/** What the panel of connection details shows. */
export interface Details {
  connectionId: string;
  server: string;
  dialect: string;
  latencyMs: number | null;
  connects: number;
  lastClose: string;
  lastError: (Failure & { at: number }) | null;
}

/** RequestError is an action that failed: a code of the protocol, or "offline". */
export class RequestError extends Error {
  constructor(
    readonly code: ErrorCode | "offline",
    message: string,
    readonly retryAfterMs = 0,
    readonly requestId = "",
  ) {
    super(message);
  }
}

/** SignedOutError is what address throws when nobody is signed in any more. */
export class SignedOutError extends Error {}

/** Close codes after which the same frames would end the same (docs/protocol.md, Close codes). */
const refusing = new Set([1002, 1003, 1007, 1009]);
/** Codes that ask to come later and slower: over the rate, and reading too slowly. */
const slowing = new Set([1008, 1013]);

export const times = {
  firstDelay: 1_000, // full jitter: a random part of 1 s, doubling to 30 s
  maxDelay: 30_000,
  answer: 15_000, // an action without an answer has failed
  pong: 8_000, // a heartbeat without an answer: the connection is dead
  handshake: 15_000,
  steady: 10_000, // a connection that lived so long starts the back-off anew
  linger: 5_000, // how long a rotated connection may still answer
  retryRotation: 30_000,
} as const;

interface Pending {
  resolve(event: ServerEvent): void;
  reject(error: RequestError): void;
  timer: Timer;
  line: Line;
}

/** Line is one socket with what belongs to it. */
class Line {
  welcome: Welcome | null = null;
  openedAt = 0;
  heartbeat: Timer = null;
  deadline: Timer = null;
  rotation: Timer = null;
  constructor(readonly socket: Socket) {}
}

export class Session extends Signal {
  private current: Line | null = null; // the one that is used
  private next: Line | null = null; // the one that rotation opens
  private pending = new Map<string, Pending>();
  private state: SessionState;
  private attempt = 0;
  private wait: Timer = null;
  private notBefore = 0; // what a `reconnect` asked for
  private generation = 0; // of connecting: an answer to an older one is dropped
  private info: Details = {
    connectionId: "", server: "", dialect: "native", latencyMs: null, connects: 0, lastClose: "",
    lastError: null,
  };

  constructor(private readonly options: SessionOptions) {
    super();
    this.state = { phase: "connecting", since: options.clock.now() };
  }

  getSnapshot = (): SessionState => this.state;

  /** details gives what is known of the connection; the object changes when that does. */
  details = (): Details => this.info;

  /** pipeline is how many messages may be unacknowledged. */
  get pipeline(): number {
    return this.current?.welcome?.pipeline ?? 1;
  }

  get isOpen(): boolean {
    return this.state.phase === "open";
  }

  start(): void {
    void this.connect(false);
  }

  /** stop ends the session; what waits for an answer fails. */
  stop(reason: StopReason = "ended"): void {
    this.generation++;
    this.options.clock.cancel(this.wait);
    const lines = [this.current, this.next];
    this.current = this.next = null;
    for (const line of lines) if (line) this.discard(line, 1000);
    this.become({ phase: "stopped", reason });
  }

  /** now connects without waiting any longer. */
  now(): void {
    if (this.state.phase !== "waiting") return;
    this.options.clock.cancel(this.wait);
    this.notBefore = 0;
    void this.connect(false);
  }

  /** probe asks at once whether the connection lives, as after sleep or a change of network. */
  probe(): void {
    if (this.state.phase === "waiting") this.now();
    else if (this.isOpen && this.current) this.beat(this.current);
  }

  /** request sends an action and waits for its answer. */
  request(action: ClientAction): Promise<ServerEvent> {
    const line = this.current;
    if (!line || !this.isOpen) return Promise.reject(new RequestError("offline", "offline"));
    return this.ask(line, action, times.answer);
  }

  /** post sends an action whose answer does not matter, or that has none; offline it is dropped. */
  post(action: ClientAction): void {
    if (this.isOpen) this.current?.socket.send(encodeAction(action));
  }

  private ask(line: Line, action: ClientAction, timeout: number): Promise<ServerEvent> {
    const id = action.id ?? newId();
    return new Promise((resolve, reject) => {
      const timer = this.options.clock.after(timeout, () => {
        this.pending.delete(id);
        reject(new RequestError("offline", "no answer"));
        if (line === this.current) this.lost(line, "no answer");
      });
      this.pending.set(id, { resolve, reject, timer, line });
      line.socket.send(encodeAction({ ...action, id }));
    });
  }

  private async connect(rotate: boolean): Promise<void> {
    const generation = rotate ? this.generation : ++this.generation;
    if (!rotate) this.become({ phase: "connecting", since: this.options.clock.now() });
    let address: Address;
    try {
      address = await this.options.address();
    } catch (error) {
      if (generation !== this.generation) return;
      if (error instanceof SignedOutError) this.stop("signed-out");
      else if (rotate) this.rotateLater(this.current);
      else this.backOff();
      return;
    }
    if (generation !== this.generation) return;
    const line = new Line(this.options.open(address));
    if (rotate) this.next = line;
    else this.current = line;
    line.deadline = this.options.clock.after(times.handshake, () => this.lost(line, "no handshake"));
    line.socket.onopen = () => this.greet(line);
    line.socket.onmessage = (e) => this.receive(line, e.data);
    line.socket.onclose = (e) => this.lost(line, `${e.code} ${e.reason}`.trim(), e.code);
  }

  private greet(line: Line): void {
    line.openedAt = this.options.clock.now();
    const resume = this.options.cursors();
    this.ask(line, { action: "hello", resume }, times.handshake).catch(() => this.lost(line, "no welcome"));
  }

  private receive(line: Line, data: unknown): void {
    if (typeof data !== "string") return;
    let event: ServerEvent | null;
    try {
      event = decodeEvent(data);
    } catch (error) {
      console.warn("confab: a frame was refused:", error);
      return;
    }
    if (!event) return;
    if (event.event === "error") this.note(event);
    if (event.event === "welcome") this.welcomed(line, event);
    if (event.event === "reconnect") this.restart(event.afterMs);
    this.options.onEvent(event);
    this.settle(event);
  }

  /** settle gives an answer to who waits for it. */
  private settle(event: ServerEvent): void {
    const id = "id" in event ? event.id : undefined;
    const waiting = id ? this.pending.get(id) : undefined;
    if (!id || !waiting) return;
    this.pending.delete(id);
    this.options.clock.cancel(waiting.timer);
    if (event.event !== "error") return waiting.resolve(event);
    const { code, message, retryAfterMs, requestId } = event;
    waiting.reject(new RequestError(code, message, retryAfterMs, requestId));
  }

  private welcomed(line: Line, welcome: Welcome): void {
    const { clock, random } = this.options;
    clock.cancel(line.deadline);
    line.welcome = welcome;
    if (line === this.next) {
      const old = this.current;
      this.current = line;
      this.next = null;
      if (old) clock.after(times.linger, () => this.discard(old, 1000));
      if (old) this.quiet(old);
    }
    this.info = {
      ...this.info, connectionId: welcome.connectionId, server: welcome.server,
      connects: this.info.connects + 1,
    };
    this.beatLater(line);
    if (welcome.maxConnectionSeconds) {
      // At a random 75 to 92 % of the connection's life, so that clients do not come all at once.
      const life = welcome.maxConnectionSeconds * 1_000 * (0.75 + 0.17 * random());
      line.rotation = clock.after(life, () => void this.connect(true));
    }
    this.become({ phase: "open" });
  }

  private beatLater(line: Line): void {
    const every = (line.welcome?.heartbeatSeconds || 30) * 1_000;
    line.heartbeat = this.options.clock.after(every, () => this.beat(line));
  }

  private beat(line: Line): void {
    const { clock } = this.options;
    clock.cancel(line.heartbeat);
    const sent = clock.now();
    this.ask(line, { action: "ping" }, times.pong).then(
      () => {
        this.info = { ...this.info, latencyMs: clock.now() - sent };
        this.changed();
        clock.cancel(line.heartbeat);
        if (line === this.current) this.beatLater(line);
      },
      (error: RequestError) => {
        // Refused, as over the rate, it is alive; without an answer it is not.
        if (line !== this.current) return;
        if (error.code === "offline") this.lost(line, "no heartbeat");
        else this.beatLater(line);
      },
    );
  }

  private rotateLater(line: Line | null): void {
    if (!line || line !== this.current) return;
    line.rotation = this.options.clock.after(times.retryRotation, () => void this.connect(true));
  }

  /** restart follows the server's request to come again after some time. */
  private restart(afterMs: number): void {
    this.notBefore = this.options.clock.now() + afterMs;
    const line = this.current;
    if (line) this.lost(line, "the server restarts", 1012);
  }

  /** lost handles the end of a connection, however it came. */
  private lost(line: Line, why: string, code = 1006): void {
    if (line !== this.current && line !== this.next) return;
    const rotating = line === this.next;
    if (rotating) this.next = null;
    else this.current = null;
    this.discard(line, 1000);
    if (rotating) return this.rotateLater(this.current);
    if (this.next) this.discard(this.next, 1000);
    this.next = null;
    this.info = { ...this.info, lastClose: why, latencyMs: null };
    const lived = line.openedAt ? this.options.clock.now() - line.openedAt : 0;
    if (lived > times.steady) this.attempt = 0;
    if (refusing.has(code)) return this.stop("refused");
    if (slowing.has(code)) this.attempt = Math.max(this.attempt, 3);
    this.backOff();
  }

  private backOff(): void {
    const { clock, random } = this.options;
    const most = Math.min(times.maxDelay, times.firstDelay * 2 ** this.attempt++);
    const delay = Math.max(random() * most, this.notBefore - clock.now());
    this.notBefore = 0;
    const since = this.state.phase === "waiting" || this.state.phase === "connecting"
      ? this.state.since : clock.now();
    this.become({ phase: "waiting", since, until: clock.now() + delay });
    this.wait = clock.after(delay, () => void this.connect(false));
  }

  private quiet(line: Line): void {
    for (const timer of [line.heartbeat, line.deadline, line.rotation]) this.options.clock.cancel(timer);
  }

  /** discard closes a socket; what waits for an answer on it fails. */
  private discard(line: Line, code: number): void {
    this.quiet(line);
    line.socket.onopen = line.socket.onmessage = line.socket.onclose = null;
    line.socket.close(code);
    for (const [id, waiting] of this.pending) {
      if (waiting.line !== line) continue;
      this.pending.delete(id);
      this.options.clock.cancel(waiting.timer);
      waiting.reject(new RequestError("offline", "the connection ended"));
    }
  }

  private note(failure: Failure): void {
    this.info = { ...this.info, lastError: { ...failure, at: this.options.clock.now() } };
    this.changed();
  }

  private become(state: SessionState): void {
    if (state.phase === "connecting" && (this.state.phase === "waiting" || this.state.phase === "connecting"))
      state = { ...state, since: this.state.since };
    this.state = state;
    this.changed();
  }
}
