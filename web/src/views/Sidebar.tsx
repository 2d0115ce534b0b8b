import type { RoomInfo } from "../core/chat.ts";
import { Avatar, Badge, Dot, IconButton } from "../ui/basics.tsx";
import { useChat, useHere, useSnapshot } from "../ui/hooks.ts";
import { Icon } from "../ui/icons.tsx";
import { arrows } from "../ui/roving.ts";
import { addressOf, go, notice, show, useUi } from "../ui/state.ts";
import { t } from "../strings.ts";

/** Sidebar lists the rooms, who writes to whom, and invitations. */
export function Sidebar() {
  const { view } = useChat();
  const rooms = view.rooms.filter((r) => r.kind !== "direct");
  const direct = view.rooms.filter((r) => r.kind === "direct");
  return (
    <nav class="sidebar" aria-label={t.list.nav} onKeyDown={(e) => arrows(e, ".room-link")}>
      <header>
        <span class="brand">{t.app}</span>
        <IconButton icon="search" label={t.list.switch} onClick={() => show("switcher")} />
      </header>
      <div class="rooms">
        {view.invitations.length > 0 && <Invitations />}
        <Section title={t.list.rooms} add={t.list.browse} onAdd={() => show("rooms")}>
          {rooms.map((r) => <RoomLink key={r.name} room={r} />)}
        </Section>
        <Section title={t.list.direct} add={t.list.people} onAdd={() => show("people")}>
          {direct.length === 0 && <li class="hint">{t.list.noDirect}</li>}
          {direct.map((r) => <RoomLink key={r.name} room={r} online={view.online.has(r.peer)} />)}
        </Section>
      </div>
      <Me />
    </nav>
  );
}

function Section(props: { title: string; add: string; onAdd: () => void; children: preact.ComponentChildren }) {
  return (
    <section aria-label={props.title}>
      <div class="section-title">
        <h2>{props.title}</h2>
        <IconButton icon="plus" label={props.add} onClick={props.onAdd} />
      </div>
      <ul>{props.children}</ul>
    </section>
  );
}

function RoomLink({ room, online }: { room: RoomInfo; online?: boolean }) {
  const current = useUi((s) => s.route.room) === room.name;
  const muted = useUi((s) => s.muted).has(room.name);
  const unread = !muted && room.unread > 0;
  return (
    <li>
      <a
        class={`room-link ${unread ? "unread" : ""} ${muted ? "muted" : ""}`} href={addressOf(room.name)}
        aria-current={current ? "page" : undefined}
        onClick={(e) => {
          if (e.ctrlKey || e.metaKey || e.shiftKey) return;
          e.preventDefault();
          go(room.name);
        }}
      >
        {room.kind === "direct" ? (
          <Avatar name={room.peer} online={online ?? false} small />
        ) : (
          <Icon name={room.kind === "lobby" ? "home" : "hash"} />
        )}
        <span class="name"><bdi>{room.title}</bdi></span>
        {muted && <span class="tag">{t.list.muted}</span>}
        <Badge
          unread={muted ? room.mentions : room.unread} mentions={room.mentions} direct={room.kind === "direct"}
        />
      </a>
    </li>
  );
}

function Invitations() {
  const { chat, view } = useChat();
  const accept = (room: string): void => {
    chat.join(room).then(() => go(room), (e: Error) => notice(e.message));
  };
  const decline = (room: string): void => {
    chat.leave(room).catch((e: Error) => notice(e.message));
  };
  return (
    <section aria-label={t.list.invitations}>
      <div class="section-title"><h2>{t.list.invitations}</h2></div>
      <ul>
        {view.invitations.map(({ room, by }) => (
          <li class="invitation" key={room}>
            <span class="name"><bdi>{room}</bdi> <small>{t.list.invitedBy(by)}</small></span>
            <button type="button" class="primary small" aria-label={t.list.accept(room)} onClick={() => accept(room)}>{t.list.join}</button>
            <IconButton icon="close" label={t.list.decline(room)} onClick={() => decline(room)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Me() {
  const { chat, server, account } = useHere();
  const { view } = useChat();
  const state = useSnapshot(chat.session);
  const here = state.phase === "open";
  return (
    <footer>
      <button
        type="button" class="me" aria-haspopup="menu"
        onClick={(e) => {
          const from = e.currentTarget;
          void import("./userMenu.ts").then((m) => m.openUserMenu(from, server, view.me, account?.owner ?? false));
        }}
      >
        <Avatar name={view.me || "?"} small />
        <span class="name">
          <span class="offscreen">{t.list.menu}: </span>
          <bdi>{view.me}</bdi>
        </span>
        <Dot online={here} />
      </button>
    </footer>
  );
}
