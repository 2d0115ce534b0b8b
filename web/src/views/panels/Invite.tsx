import { useEffect } from "preact/hooks";
import { same } from "../../core/mentions.ts";
import { isName } from "../../core/names.ts";
import { Avatar } from "../../ui/basics.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { useChat } from "../../ui/hooks.ts";
import { fits, Picker, type Option } from "../../ui/picker.tsx";
import { hide, notice } from "../../ui/state.ts";
import { p } from "panel-strings";
import { t } from "../../strings.ts";
import { useCurrent } from "./current.ts";
import { explain } from "./explain.ts";
import { useAsked } from "./useAsked.ts";

/** Invite asks somebody into the open room. */
export function Invite() {
  const { chat, view } = useChat();
  const { room, title } = useCurrent();
  const members = useAsked(async () => (room ? chat.members(room.name) : []), room);
  const inside = new Set(members?.map((p) => p.user));
  useEffect(() => void chat.lookAround().catch(() => undefined), []);
  const invite = (user: string): void => {
    if (!room) return;
    chat.session.request({ action: "invite", room: room.name, user }).then(
      () => {
        notice(p.invite.done(user));
        hide();
      },
      (e: Error) => notice(explain(e)),
    );
  };
  const options = (query: string): Option[] => {
    const list = view.people.filter((p) => fits(p, query) && !inside.has(p)).slice(0, 50);
    if (isName(query) && !view.people.some((p) => same(p, query))) list.push(query);
    return list.map((p) => ({
      key: p, label: p, detail: view.online.has(p) ? t.presence.online : t.presence.offline,
      before: <Avatar name={p} online={view.online.has(p)} small />, run: () => invite(p),
    }));
  };
  return (
    <Dialog title={p.invite.title(title)}>
      <Picker label={p.invite.label} hint={p.invite.hint} options={options} />
    </Dialog>
  );
}
