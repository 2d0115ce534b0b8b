import { same } from "../../core/mentions.ts";
import { isName } from "../../core/names.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { useChat } from "../../ui/hooks.ts";
import { Icon } from "../../ui/icons.tsx";
import { fits, Picker, type Option } from "../../ui/picker.tsx";
import { go, notice } from "../../ui/state.ts";
import { p } from "panel-strings";
import type { RoomItem } from "../../wire.ts";
import { explain } from "./explain.ts";
import { useAsked } from "./useAsked.ts";

/** Rooms is the directory: rooms to join, and a new one by its name. */
export function Rooms() {
  const { chat, view } = useChat();
  const all = useAsked(() => chat.directory());
  const join = (name: string, isPrivate = false): void => {
    chat.join(name, isPrivate).then((room) => go(room.name), (e: Error) => notice(explain(e)));
  };
  const mine = new Set(view.rooms.map((r) => r.name));
  const rank = (r: RoomItem): number => (r.invited ? 0 : mine.has(r.room) ? 2 : 1); // what one may want first
  const options = (query: string): Option[] => {
    const listed = (all ?? []).filter((r) => !r.room.startsWith("@") && fits(r.room, query));
    listed.sort((a, b) => rank(a) - rank(b));
    const list: Option[] = listed.slice(0, 100).map((r) => ({
      key: r.room, label: r.room, before: <Icon name={r.room === "lobby" ? "home" : "hash"} />,
      detail: mine.has(r.room) ? p.rooms.joined : r.invited ? p.rooms.invited : p.rooms.join,
      run: () => (mine.has(r.room) ? go(r.room) : join(r.room)),
    }));
    if (all && isName(query) && !all.some((r) => same(r.room, query)))
      list.push(
        {
          key: "+", label: <Create what={p.rooms.create(query)} who={p.rooms.publicHint} />,
          before: <Icon name="plus" />, run: () => join(query),
        },
        {
          key: "-", label: <Create what={p.rooms.createPrivate(query)} who={p.rooms.privateHint} />,
          before: <Icon name="lock" />, run: () => join(query, true),
        },
      );
    return list;
  };
  return (
    <Dialog title={p.rooms.title}>
      <Picker label={p.rooms.label} hint={p.rooms.hint} options={options} loading={!all} empty={() => p.rooms.rule} />
    </Dialog>
  );
}

/** Create is an option that makes a room, with who may come in. */
function Create({ what, who }: { what: string; who: string }) {
  return (
    <>
      {what}
      <br />
      <small>{who}</small>
    </>
  );
}
