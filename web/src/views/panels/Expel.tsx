import { same } from "../../core/mentions.ts";
import { Avatar } from "../../ui/basics.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { useChat, useHere } from "../../ui/hooks.ts";
import { fits, Picker, type Option } from "../../ui/picker.tsx";
import { hide, notice } from "../../ui/state.ts";
import { p } from "panel-strings";
import { useCurrent } from "./current.ts";
import { explain } from "./explain.ts";
import { useAsked } from "./useAsked.ts";
import { ask } from "../../core/server.ts";

/** Expel removes somebody from the open room: for who made it, and for owners of the server. */
export function Expel() {
  const { account } = useHere();
  const { chat, view } = useChat();
  const { room, title } = useCurrent();
  const all = useAsked(async () => (room ? (await chat.members(room.name)).map((p) => p.user) : []), room);
  const expel = (user: string): void => {
    if (!room) return;
    const gone: Promise<unknown> = account?.owner
      ? ask("rooms/remove", { room: room.name, user })
      : chat.session.request({ action: "removeMember", room: room.name, user }); // for who made the room
    gone.then(
      () => {
        notice(p.expel.done(user));
        hide();
      },
      (e: Error) => notice(explain(e)),
    );
  };
  const options = (query: string): Option[] =>
    (all ?? []).filter((p) => fits(p, query) && !same(p, view.me)).slice(0, 100).map((p) => ({
      key: p, label: p, before: <Avatar name={p} online={view.online.has(p)} small />, run: () => expel(p),
    }));
  return (
    <Dialog title={p.expel.title(title)}>
      <Picker label={p.members.label} hint={p.expel.hint} options={options} loading={!all} />
    </Dialog>
  );
}
