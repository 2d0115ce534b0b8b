import type { Row } from "../core/rows.ts";
import { Avatar, IconButton, Time } from "../ui/basics.tsx";
import { copy } from "../ui/clipboard.ts";
import { day, shortClock } from "../ui/format.ts";
import { useChat, useHere, useNow } from "../ui/hooks.ts";
import { Markdown } from "../ui/markdown.tsx";
import { memo } from "../ui/react.ts";
import { openMenu } from "../ui/openMenu.ts";
import { go, linkTo, notice, show } from "../ui/state.ts";
import { t } from "../strings.ts";
import { insert } from "./insert.ts";
import type { Shown } from "./RoomView.tsx";

interface Props {
  row: Row;
  shown: Shown;
  tabbable: boolean;
  marked: boolean;
  onFocus: (key: string) => void;
}

/** RowView shows one row of a timeline. */
export const RowView = memo(function RowView(props: Props) {
  const { row, shown } = props;
  switch (row.type) {
    case "start":
      return <Beginning shown={shown} />;
    case "day":
      return <Day at={row.at} />;
    case "new":
      return <div class="divider new" role="separator"><span>{t.timeline.fresh}</span></div>;
    case "gap":
      return <div class="gap">{t.timeline.gap}</div>;
    case "deleted":
      return (
        <div class="row deleted" tabIndex={props.tabbable ? 0 : -1} onFocus={() => props.onFocus(row.key)}>
          {t.timeline.deleted}
        </div>
      );
    case "message":
      return row.undo ? <Undo {...props} row={row} /> : <Message {...props} row={row} />;
    case "pending":
      return <Pending {...props} row={row} />;
    default:
      return assertNever(row);
  }
});

function assertNever(row: never): never {
  throw new Error(`no view of ${JSON.stringify(row)}`);
}

/** Beginning says whose room it is, and how others come to it. */
function Beginning({ shown }: { shown: Shown }) {
  const { account } = useHere();
  const { kind, title, room } = shown;
  const direct = kind === "direct";
  const [label, run] =
    kind === "room" ? [t.menu.people, () => show("invite")]
    : account?.owner ? [t.menu.people, () => show("invitePeople")]
    : [t.room.copyLink, () => void copy(linkTo(room.name))];
  return (
    <div class="beginning">
      <h2>{direct ? t.timeline.startDirect(title) : t.timeline.start(title)}</h2>
      <p>{direct ? t.timeline.startDirectLead : t.timeline.startLead}</p>
      {!direct && <button type="button" class="plain" onClick={run}>{label}</button>}
    </div>
  );
}

function Day({ at }: { at: number }) {
  const now = useNow();
  return <div class="divider" role="separator"><span>{day(at, now)}</span></div>;
}

type MessageRow = Extract<Row, { type: "message" }>;
type PendingRow = Extract<Row, { type: "pending" }>;

/** Author is a name that opens what can be done with its bearer. */
function Author({ name }: { name: string }) {
  const { chat, view } = useChat();
  const open = (e: MouseEvent): void => {
    openMenu(e.currentTarget as HTMLElement, name, [
      { label: t.composer.direct(name), icon: "send", run: () => go(chat.direct(name).name) },
      { label: t.message.reply, icon: "at", run: () => insert(`@${name} `) },
    ]);
  };
  const online = name === view.me || view.online.has(name);
  return (
    <button type="button" class="author" onClick={open} aria-haspopup="menu">
      <bdi>{name}</bdi>
      {view.names.has(name) && <small><bdi>{view.names.get(name)}</bdi></small>}
      <span class="offscreen">, {online ? t.presence.online : t.presence.offline}</span>
    </button>
  );
}

function Message({ row, shown, tabbable, marked, onFocus }: Props & { row: MessageRow }) {
  const { chat, view } = useChat();
  const { room } = shown;
  const remove = (): void => chat.remove(room, row.seq, (e) => notice(t.message.deleteFailed(e.message)));
  const className = `row message ${row.grouped ? "grouped" : ""} ${marked ? "marked" : ""}`;
  return (
    <article
      class={className} tabIndex={tabbable ? 0 : -1} aria-label={`${row.from}, ${shortClock(row.at)}`}
      onFocus={(e) => e.target === e.currentTarget && onFocus(row.key)}
    >
      {row.grouped ? (
        <span class="side"><Time at={row.at} focusable={false} /></span>
      ) : (
        <Avatar name={row.from} online={row.from === view.me || view.online.has(row.from)} />
      )}
      <div class="body">
        {!row.grouped && (
          <div class="heading">
            <Author name={row.from} /> <Time at={row.at} focusable={tabbable} />
          </div>
        )}
        <Markdown text={row.text} me={view.me} />
      </div>
      <div class="actions" role="toolbar" aria-label={t.message.actions(row.from)}>
        <IconButton icon="copy" label={t.message.copy} onClick={() => void copy(row.text)} />
        <IconButton icon="link" label={t.message.link} onClick={() => void copy(linkTo(room.name, row.seq))} />
        {row.mine && <IconButton icon="trash" label={t.message.delete} onClick={remove} />}
      </div>
    </article>
  );
}

function Undo({ row, shown, tabbable, onFocus }: Props & { row: MessageRow }) {
  return (
    <div class="row deleted" tabIndex={tabbable ? 0 : -1} onFocus={() => onFocus(row.key)}>
      <span role="status">{t.timeline.deleting}</span>{" "}
      <button type="button" class="quiet" onClick={() => shown.room.keep(row.seq)}>{t.timeline.undo}</button>
    </div>
  );
}

function Pending({ row, tabbable, onFocus }: Props & { row: PendingRow }) {
  const { chat } = useHere();
  const { view } = useChat();
  const { entry } = row;
  const failed = entry.state === "failed";
  return (
    <article
      class={`row message ${row.grouped ? "grouped" : ""} ${failed ? "failed" : "pending"}`} tabIndex={tabbable ? 0 : -1}
      aria-label={`${view.me}, ${failed ? t.message.failed : t.message.sending}`} onFocus={() => onFocus(row.key)}
    >
      {row.grouped ? <span class="side" /> : <Avatar name={view.me} />}
      <div class="body">
        {!row.grouped && <div class="heading"><span class="author"><bdi>{view.me}</bdi></span> <Time at={entry.at} focusable={false} /></div>}
        <Markdown text={entry.text} me={view.me} />
        {failed && (
          <p class="failure" role="alert">
            {t.message.failed}: {entry.error}{" "}
            <button type="button" class="quiet" onClick={() => chat.outbox?.retry(entry.id)}>{t.message.retry}</button>{" "}
            <button type="button" class="quiet" onClick={() => chat.outbox?.drop(entry.id)}>{t.message.drop}</button>
          </p>
        )}
      </div>
    </article>
  );
}
