import { useEffect, useRef } from "preact/hooks";
import { announce, ui } from "../ui/state.ts";
import { t } from "../strings.ts";
import type { Shown } from "./RoomView.tsx";

/** Messages that come within this time are announced together. */
const together = 800;

/** useAnnouncer tells screen readers of new messages in the open room; a burst is a count. */
export function useAnnouncer(shown: Shown, me: string): void {
  const { room, title } = shown;
  const waiting = useRef<{ from: string; text: string }[]>([]);
  useEffect(() => {
    let told = room.cursor.seq;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = (): void => {
      timer = undefined;
      const [first] = waiting.current;
      const n = waiting.current.length;
      waiting.current = [];
      if (!first || !ui.getState().attentive) return;
      announce(n === 1 ? t.timeline.said(first.from, first.text.slice(0, 300)) : t.timeline.burst(n, title));
    };
    const look = (): void => {
      for (; told < room.cursor.seq; told++) {
        const item = room.find(told + 1);
        if (item?.kind === "message" && item.from !== me) waiting.current.push(item);
      }
      if (waiting.current.length > 0) timer ??= setTimeout(flush, together);
    };
    const end = room.subscribe(look);
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [room, me]);
}
