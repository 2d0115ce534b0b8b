import { Avatar, IconButton } from "../ui/basics.tsx";
import { useChat } from "../ui/hooks.ts";
import { Icon } from "../ui/icons.tsx";
import { copy } from "../ui/clipboard.ts";
import { openMenu, type Choice } from "../ui/openMenu.ts";
import { go, linkTo, notice, setMuted, show, useUi } from "../ui/state.ts";
import { t } from "../strings.ts";
import type { Shown } from "./RoomView.tsx";

/** RoomHeader names the room and has what can be done with it. */
export function RoomHeader({ shown }: { shown: Shown }) {
  const { chat, view } = useChat();
  const muted = useUi((s) => s.muted).has(shown.room.name);
  const { kind, title, peer, room } = shown;
  const leave = (): void => {
    chat.leave(room.name).then(
      () => {
        notice(t.room.left(title));
        go("lobby");
      },
      (e: Error) => notice(e.message),
    );
  };
  const more = (e: MouseEvent): void => {
    const choices: Choice[] = [
      {
        label: muted ? t.room.unmute : t.room.mute, icon: muted ? "bell" : "mute",
        run: () => setMuted(room.name, !muted),
      },
      { label: t.room.copyLink, icon: "link", run: () => void copy(linkTo(room.name)) },
    ];
    if (kind === "room") choices.push({ label: t.room.expel, icon: "people", run: () => show("expel") });
    if (kind === "room") choices.push({ label: t.room.leave, icon: "out", run: leave, danger: true });
    openMenu(e.currentTarget as HTMLElement, t.room.more, choices);
  };
  const { online, offline } = t.presence;
  const topic = { lobby: t.room.lobbyTopic, room: "", direct: view.online.has(peer) ? online : offline }[kind];
  const about = [topic, muted && t.list.muted].filter(Boolean).join(" · ");
  return (
    <header class="room-header">
      <IconButton icon="back" label={t.room.back} class="phone-only" onClick={() => go("")} />
      {kind === "direct" ? (
        <Avatar name={peer} online={view.online.has(peer)} small />
      ) : (
        <Icon name={kind === "lobby" ? "home" : "hash"} />
      )}
      <div class="titles">
        <h1><bdi>{title}</bdi></h1>
        {about && <p>{about}</p>}
      </div>
      <IconButton icon="search" label={t.room.search} onClick={() => show("search")} />
      {kind === "room" && <IconButton icon="plus" label={t.room.invite} onClick={() => show("invite")} />}
      <IconButton icon="people" label={t.room.members} onClick={() => show("members")} />
      <IconButton icon="more" label={t.room.more} onClick={more} />
    </header>
  );
}
