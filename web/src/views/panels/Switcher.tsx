import { same } from "../../core/mentions.ts";
import { Avatar } from "../../ui/basics.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { useChat } from "../../ui/hooks.ts";
import { Icon } from "../../ui/icons.tsx";
import { fits, Picker, type Option } from "../../ui/picker.tsx";
import { go } from "../../ui/state.ts";
import { p } from "panel-strings";
import { t } from "../../strings.ts";

/** Switcher jumps to a room or person by a part of the name; what waits comes first. */
export function Switcher() {
  const { chat, view } = useChat();
  const options = (query: string): Option[] => {
    const rooms = view.rooms.filter((r) => fits(r.title, query)).sort((a, b) =>
      b.mentions - a.mentions || b.unread - a.unread || a.title.localeCompare(b.title));
    const known = new Set(view.rooms.map((r) => r.peer));
    const people = query ? view.people.filter((p) => fits(p, query) && !known.has(p) && !same(p, view.me)) : [];
    return [
      ...rooms.map((r) => ({
        key: r.name, label: r.title, run: () => go(r.name),
        detail: r.unread > 0 ? t.list.unread(r.unread) : "",
        before: r.kind === "direct"
          ? <Avatar name={r.peer} online={view.online.has(r.peer)} small />
          : <Icon name={r.kind === "lobby" ? "home" : "hash"} />,
      })),
      ...people.slice(0, 20).map((p) => ({
        key: `user ${p}`, label: p, run: () => go(chat.direct(p).name),
        before: <Avatar name={p} online={view.online.has(p)} small />,
      })),
    ];
  };
  return (
    <Dialog title={p.switcher.title}>
      <Picker label={p.switcher.label} hint={p.switcher.hint} options={options} />
    </Dialog>
  );
}
