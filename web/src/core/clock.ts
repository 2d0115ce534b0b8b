/** A timer that can be taken back. */
export type Timer = unknown;

/** Clock is the time that the core runs on: the browser's, or a test's own. */
export interface Clock {
  /** now is the time in milliseconds since 1970. */
  now(): number;
  /** after runs a function once, ms milliseconds from now. */
  after(ms: number, run: () => void): Timer;
  cancel(timer: Timer): void;
}

/** systemClock is the browser's. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => setTimeout(run, ms),
  cancel: (timer) => clearTimeout(timer as number),
};

/** newId makes an id for a frame or a message: 128 random bits, also where there is no TLS. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Signal tells listeners that something changed. */
export class Signal {
  private listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  protected changed(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
