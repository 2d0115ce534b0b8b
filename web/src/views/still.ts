// What keeps the rows that one reads where they are while others come above them or turn out to be higher
// than was thought. The virtual list does most of it; here is what it would do otherwise.
import { observeElementOffset, useVirtualizer, type ReactVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import { useState } from "preact/hooks";
import type { Row } from "../core/rows.ts";

type Options = Parameters<typeof useVirtualizer<HTMLDivElement, HTMLElement>>[0];
type List = ReactVirtualizer<HTMLDivElement, HTMLElement>;
type Place = Required<Pick<Options, "observeElementOffset" | "scrollToFn">>;

/** stops tells whether a row has something to read: the arrow keys stop there. */
export function stops(row: Row | undefined): boolean {
  return row?.type === "message" || row?.type === "pending" || row?.type === "deleted";
}

/** useStillList is a virtual list that holds the row one reads, whatever happens above it. */
export function useStillList(rows: readonly Row[], options: Options): List {
  const list = useVirtualizer<HTMLDivElement, HTMLElement>({ ...options, ...useState(place)[0] });
  // When rows come or go, the list holds the one that this gives.
  list.getVirtualItemForOffset = () => held(list, rows);
  const first = held(list, rows)?.index ?? 0;
  list.shouldAdjustScrollPositionOnItemSizeChange = (item) => item.index < first;
  return list;
}

/**
 * held gives the row that one reads: the first message in sight, before all one that is measured, since
 * the others have come this moment. Dividers and gaps are none: they go when what they stand for comes.
 */
function held(list: List, rows: readonly Row[]): VirtualItem | undefined {
  const top = list.scrollOffset ?? 0;
  const all = list.getVirtualItems().filter((i) => i.end > top && stops(rows[i.index]));
  const whole = all.filter((i) => i.start >= top && i.start < top + (list.scrollRect?.height ?? 0));
  return whole.find((i) => list.itemSizeCache.has(i.key)) ?? whole[0] ?? all[0];
}

/**
 * place is how a list scrolls. It corrects the view by absolute positions, from where it last heard that
 * the view stands: what has been scrolled since is added, or each correction would take it back.
 */
function place(): Place {
  let known = 0; // where the view stood, when it was last heard of or moved by the list
  let since = 0; // what others have moved it, of which the list has not heard
  return {
    observeElementOffset: (list, tell) =>
      observeElementOffset(list, (offset, moving) => {
        known = offset;
        since = 0;
        tell(offset, moving);
      }),
    scrollToFn: (offset, { adjustments = 0, behavior }, { scrollElement: element }) => {
      if (!element) return;
      const { scrollTop, scrollHeight, clientHeight } = element;
      // A command has a behavior. And at the end the browser moves the view, when the rows become fewer.
      since = behavior || scrollTop + clientHeight >= scrollHeight - 1 ? 0 : since + scrollTop - known;
      element.scrollTop = offset + adjustments + since;
      known = element.scrollTop;
    },
  };
}
