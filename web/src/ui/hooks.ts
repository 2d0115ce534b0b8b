import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { useSyncExternalStore } from "./react.ts";
import type { Chat, ChatView } from "../core/chat.ts";
import type { About, Me } from "../core/server.ts";

interface Snapshots<T> {
  subscribe(listener: () => void): () => void;
  getSnapshot(): T;
}

type Subscribe = Snapshots<unknown>["subscribe"];

const calmed = new WeakMap<Subscribe, Subscribe>();

/** calm tells of changes once a frame, however many there are; out of sight ten times a second. */
function calm(subscribe: Subscribe): Subscribe {
  const known = calmed.get(subscribe);
  if (known) return known;
  const made: Subscribe = (changed) => {
    let frame = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const clear = (): void => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      timer = undefined;
    };
    const run = (): void => {
      clear();
      changed();
    };
    const end = subscribe(() => {
      if (timer !== undefined) return;
      frame = requestAnimationFrame(run);
      timer = setTimeout(run, 100);
    });
    return () => {
      clear();
      end();
    };
  };
  calmed.set(subscribe, made);
  return made;
}

/** useSnapshot follows something that tells of its changes. */
export function useSnapshot<T>(source: Snapshots<T>): T {
  return useSyncExternalStore(calm(source.subscribe), source.getSnapshot);
}

/** Here is the running chat, for all views below. */
export interface Here {
  chat: Chat;
  server: About;
  account: Me | null; // who is signed in, on servers with accounts
}

export const HereContext = createContext<Here | null>(null);

/** useHere gives the running chat. */
export function useHere(): Here {
  const here = useContext(HereContext);
  if (!here) throw new Error("no chat around this view");
  return here;
}

export function useChat(): { chat: Chat; view: ChatView } {
  const { chat } = useHere();
  return { chat, view: useSnapshot(chat) };
}

/** useAway tells that there is no connection; one that comes within a second was never missed. */
export function useAway(): boolean {
  const state = useSnapshot(useHere().chat.session);
  return state.phase === "waiting" || (state.phase === "connecting" && Date.now() - state.since > 1_000);
}

let now = Date.now();
const tickers = new Set<() => void>();
setInterval(() => {
  now = Date.now();
  for (const tick of tickers) tick();
}, 20_000);

/** useNow gives the time, anew every 20 s: fine enough for minutes. */
export function useNow(): number {
  const [, again] = useState(0);
  useEffect(() => {
    const tick = (): void => again((n) => n + 1);
    tickers.add(tick);
    return () => void tickers.delete(tick);
  }, []);
  return Math.max(now, Date.now() - 20_000);
}

/** useTitle names the page, with what waits. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}
