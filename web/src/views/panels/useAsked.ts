import { useEffect, useState } from "preact/hooks";
import { useAway, useHere, useSnapshot } from "../../ui/hooks.ts";
import { notice } from "../../ui/state.ts";
import { explain } from "./explain.ts";

/**
 * useAsked gives what a panel asks the server for, null until it is known. It asks with each connection, so
 * that a panel which is open before there is one fills, and says that there is none where that lasts.
 */
export function useAsked<T>(ask: () => Promise<T>, of?: unknown): T | null {
  const [answer, setAnswer] = useState<T | null>(null);
  const here = useSnapshot(useHere().chat.session).phase === "open";
  const away = useAway();
  useEffect(() => {
    if (here || (away && !answer)) ask().then(setAnswer, (e: Error) => notice(explain(e)));
  }, [here, away, of]);
  return answer;
}
