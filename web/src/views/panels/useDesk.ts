import { useCallback, useEffect, useState } from "preact/hooks";
import { ask } from "../../core/server.ts";
import { notice } from "../../ui/state.ts";
import { explain } from "./explain.ts";

/** useDesk follows what the server's desk says at a path; again asks anew. */
export function useDesk<T>(path: string): { answer: T | null; again: () => void } {
  const [answer, setAnswer] = useState<T | null>(null);
  const again = useCallback(() => {
    ask<T>(path).then(setAnswer, (e: Error) => notice(explain(e)));
  }, [path]);
  useEffect(again, [again]);
  return { answer, again };
}

/** tellDesk asks the desk for something and says what did not work. */
export function tellDesk<T>(path: string, body: unknown, done: (answer: T) => void): void {
  ask<T>(path, body).then(done, (e: Error) => notice(explain(e)));
}
