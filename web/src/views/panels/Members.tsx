import { same } from "../../core/mentions.ts";
import { Avatar } from "../../ui/basics.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { useChat } from "../../ui/hooks.ts";
import { fits, Picker, type Option } from "../../ui/picker.tsx";
import { go } from "../../ui/state.ts";
import { p } from "panel-strings";
import { t } from "../../strings.ts";
import type { Person } from "../../wire.ts";
import { useCurrent } from "./current.ts";
import { useAsked } from "./useAsked.ts";

/** Members lists who is in the open room, those who are here first. */
export function Members() {
  const { chat, view } = useChat();
  const { room, title } = useCurrent();
  const all = useAsked(async () => (!room || room.name.startsWith("to:") ? [] : chat.members(room.name)), room);
  const options = (query: string): Option[] => {
    const here = (p: Person): boolean => view.online.has(p.user);
    const found = (all ?? []).filter((p) => fits(p.user, query));
    return found.sort((a, b) => Number(here(b)) - Number(here(a)) || a.user.localeCompare(b.user)).slice(0, 200).map((p) => ({
      key: p.user, label: p.user, before: <Avatar name={p.user} online={here(p)} small />,
      detail: same(p.user, view.me) ? t.list.you : here(p) ? t.presence.online : t.presence.offline,
      run: () => go(chat.direct(p.user).name),
    }));
  };
  return (
    <Dialog title={p.members.title(title)}>
      <Picker label={p.members.label} hint={all ? p.members.count(all.length) : ""} options={options} loading={!all} />
    </Dialog>
  );
}
