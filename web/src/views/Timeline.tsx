import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Row } from "../core/rows.ts";
import { Empty } from "../ui/basics.tsx";
import { useAway, useChat, useSnapshot } from "../ui/hooks.ts";
import { Icon } from "../ui/icons.tsx";
import { useUi } from "../ui/state.ts";
import { t } from "../strings.ts";
import { useAnnouncer } from "./announcer.ts";
import { RowView } from "./Rows.tsx";
import { stops, useStillList } from "./still.ts";
import type { Shown } from "./RoomView.tsx";

const nearEnd = 60; // pixels from the end that still count as the end
const nearStart = 12; // rows from the first one from which older ones are loaded
const settling = 250; // ms in which a list finds its place by measuring: rows above would move it
const loaderHeight = 56; // of the line above the first row while older ones can come

/** estimate guesses a row's height, so that what is not measured yet is about right. */
function estimate(row: Row): number {
  if (row.type === "start") return 77;
  if (row.type !== "message" && row.type !== "pending") return 34;
  const text = row.type === "message" ? row.text : row.entry.text;
  const lines = text.split("\n").reduce((n, line) => n + 1 + Math.floor(line.length / 100), 0);
  return 22 * lines + (row.grouped ? 2 : 30);
}

/** Timeline shows the messages of a room; only those in sight are in the document. */
export function Timeline({ shown }: { shown: Shown }) {
  const { room } = shown;
  const { chat, view: around } = useChat();
  const view = useSnapshot(room);
  const { rows } = view;
  const route = useUi((s) => s.route);
  const attentive = useUi((s) => s.attentive);
  const away = useAway();
  const scroller = useRef<HTMLDivElement>(null);
  const [focus, setFocus] = useState("");
  const [marked, setMarked] = useState<number | null>(null);
  const placed = useRef(false);
  const [ready, setReady] = useState(false); // once the rows stand where one begins to read
  useAnnouncer(shown, around.me);

  const list = useStillList(rows, {
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (i) => estimate(rows[i]!),
    getItemKey: useCallback((i: number) => rows[i]?.key ?? i, [rows]),
    overscan: 10,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: nearEnd,
    paddingStart: view.atStart ? 0 : loaderHeight,
    paddingEnd: 12,
  });
  // Who is at the end stays there when the view's height changes: the field grows, a phone's keyboard opens.
  const height = list.scrollRect?.height ?? 0;
  const before = useRef({ height, atEnd: true });
  const stays = before.current.height > 0 && height !== before.current.height && before.current.atEnd;
  const atEnd = stays || list.isAtEnd(nearEnd);
  useLayoutEffect(() => {
    if (stays && placed.current) list.scrollToEnd();
    before.current = { height, atEnd };
  });
  const items = list.getVirtualItems();
  const first = items[0]?.index ?? 0;

  // The divider is set as one comes to the room, or back to the window, and stays while one reads.
  useEffect(() => {
    if (attentive) room.divide();
  }, [room, attentive]);

  // The first page, and older ones as one comes near the first row.
  useEffect(() => {
    const wanted = rows.length === 0 || (ready && first < nearStart);
    if (wanted && !view.atStart && !view.loading && !view.failed) void room.older();
  }, [room, ready, first, rows.length, view.atStart, view.loading, view.failed]);

  // A gap that comes into sight is filled, from the side that one comes from.
  const gap = items.map((i) => rows[i.index]).find((r) => r?.type === "gap");
  useEffect(() => {
    if (!ready || gap?.type !== "gap" || view.loading || view.failed) return;
    void room.fill(gap.after, gap.before, list.scrollDirection === "backward");
  }, [ready, gap?.key, view.loading, view.failed]);

  const settle = (): void => void setTimeout(() => setReady(true), settling);

  // Where one begins to read: at a linked message, at the first unread one, or at the end, as who is new here.
  useLayoutEffect(() => {
    if (placed.current || rows.length === 0 || route.seq) return;
    placed.current = true;
    if (attentive) room.divide();
    const fresh = room.getSnapshot().rows.findIndex((r) => r.type === "new");
    if (fresh >= 0 && rows.length - fresh > 8 && (room.read > 0 || shown.kind === "direct")) list.scrollToIndex(Math.max(0, fresh - 1), { align: "start" });
    else list.scrollToEnd();
    settle();
  }, [rows.length]);
  useEffect(() => {
    const { seq } = route;
    if (!seq || route.room !== room.name) return;
    placed.current = true;
    setReady(false);
    void room.around(seq).then(() => {
      const at = room.getSnapshot().rows.findIndex((r) => "seq" in r && r.seq === seq);
      if (at < 0) return setReady(true);
      setMarked(seq);
      requestAnimationFrame(() => {
        list.scrollToIndex(at, { align: "center" });
        settle();
      });
    });
  }, [room, route]);

  // One's own message is always shown.
  const last = rows[rows.length - 1];
  const own = last?.type === "pending" ? last.key : "";
  useEffect(() => {
    if (own) list.scrollToEnd();
  }, [own]);

  // What is in sight of an attentive person is read.
  const seen = lastSeen(rows, items, list.scrollOffset ?? 0, scroller.current?.clientHeight ?? 0);
  useEffect(() => {
    if (!attentive || !ready) return;
    chat.markRead(room, atEnd ? room.cursor.seq : seen);
  }, [attentive, ready, atEnd, seen, room.cursor.seq]);

  const below = atEnd ? 0 : rows.filter((r) => r.type === "message" && !r.mine && r.seq > Math.max(seen, room.read)).length;
  const keys = (e: KeyboardEvent): void => {
    const at = moved(e, rows, focus);
    if (at === null) return;
    e.preventDefault();
    setFocus(rows[at]!.key);
    list.scrollToIndex(at);
    requestAnimationFrame(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-index="${at}"] > .row`)?.focus();
    });
  };
  const tabbable = rows.some((r) => r.key === focus) ? focus : lastStop(rows);

  return (
    <div class="timeline">
      <div ref={scroller} class="scroller" tabIndex={-1}>
        <ol
          class="rows" aria-label={t.timeline.label(shown.title)} style={{ height: `${list.getTotalSize()}px` }}
          onKeyDown={keys}
        >
          {items.map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            return (
              <li
                key={row.key} data-index={item.index} ref={list.measureElement}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <RowView
                  row={row} shown={shown} tabbable={row.key === tabbable} onFocus={setFocus}
                  marked={row.type === "message" && row.seq === marked}
                />
              </li>
            );
          })}
        </ol>
        {!view.atStart && away && rows.length === 0 ? (
          <Empty title={t.timeline.offline}><p>{t.timeline.offlineLead}</p></Empty>
        ) : !view.atStart && (
          <div class="older">
            {away ? t.timeline.offline : view.failed && room.epoch ? (
              <>
                {t.timeline.failed}{" "}
                <button type="button" class="quiet" onClick={() => void room.older()}>{t.timeline.again}</button>
              </>
            ) : rows.length > 0 ? t.timeline.older : t.timeline.empty}
          </div>
        )}
        {rows.length === 0 && view.atStart && <Empty title={t.timeline.start(shown.title)} />}
      </div>
      {!atEnd && rows.length > 0 && placed.current && (
        <button type="button" class="latest" onClick={() => list.scrollToEnd()}>
          <Icon name="down" />
          <span>{below > 0 ? t.timeline.latestCount(below) : t.timeline.latest}</span>
        </button>
      )}
      <p class="typing" aria-live="off">{t.timeline.typing(view.typing)}</p>
    </div>
  );
}

/** lastSeen gives the number of the last message that is wholly in sight. */
function lastSeen(
  rows: readonly Row[], items: readonly { index: number; end: number }[], offset: number, height: number,
): number {
  for (let i = items.length - 1; i >= 0; i--) {
    const row = rows[items[i]!.index];
    if (items[i]!.end <= offset + height + nearEnd && row && "seq" in row) return row.seq;
  }
  return 0;
}

function lastStop(rows: readonly Row[]): string {
  for (let i = rows.length - 1; i >= 0; i--) if (stops(rows[i]!)) return rows[i]!.key;
  return "";
}

/** moved gives the row that a key leads to. */
function moved(e: KeyboardEvent, rows: readonly Row[], focus: string): number | null {
  if (!(e.target as HTMLElement).classList.contains("row")) return null;
  const at = rows.findIndex((r) => r.key === focus);
  const step = { ArrowUp: -1, ArrowDown: 1, Home: -1, End: 1 }[e.key];
  if (!step) return null;
  if (e.key === "End") return rows.findLastIndex(stops);
  if (e.key === "Home") return rows.findIndex(stops);
  for (let i = at + step; i >= 0 && i < rows.length; i += step) if (stops(rows[i]!)) return i;
  return null;
}
