import { useEffect, useMemo, useState } from "preact/hooks";
import { peerOf, type ChatView } from "../core/chat.ts";
import type { Room } from "../core/room.ts";
import { Empty, IconButton } from "../ui/basics.tsx";
import { useChat, useHere } from "../ui/hooks.ts";
import { addressOf, go, show, ui } from "../ui/state.ts";
import { t } from "../strings.ts";
import { Composer } from "./Composer.tsx";
import { RoomHeader } from "./RoomHeader.tsx";
import { Timeline } from "./Timeline.tsx";

/** Shown is an open room with what its views say of it. */
export interface Shown {
  room: Room;
  title: string;
  kind: "lobby" | "room" | "direct";
  peer: string;
}

function shownOf(room: Room, view: ChatView): Shown {
  const peer = peerOf(room.name, view.me);
  const kind = room.name === "lobby" ? "lobby" : peer ? "direct" : "room";
  return { room, title: peer || room.name, kind, peer };
}

/** RoomView is the open room: its header, messages, and where to write. */
export function RoomView({ name }: { name: string }) {
  const { chat, view } = useChat();
  const room = name.startsWith("to:") && view.me ? chat.direct(name.slice(3)) : chat.room(name);
  useEffect(() => {
    // A direct room has an id of its own from its first message on.
    if (!room || room.name === name) return;
    history.replaceState(null, "", addressOf(room.name));
    ui.setState({ route: { room: room.name, seq: null } });
  }, [room, name]);
  const shown = useMemo(() => (room ? shownOf(room, view) : null), [room, view.me]);
  if (!shown) return <Missing name={name} />;
  return (
    <main class="room" aria-label={shown.title}>
      <RoomHeader shown={shown} />
      <Timeline key={shown.room.name} shown={shown} />
      <Composer shown={shown} />
    </main>
  );
}

/** Connecting is what is there before the first welcome; a name that is refused would keep it so. */
function Connecting() {
  const { server } = useHere();
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), 4_000);
    return () => clearTimeout(timer);
  }, []);
  const rename = (): void => void import("./userMenu.ts").then((m) => m.rename());
  return (
    <div class="empty" role="status">
      <p>{long ? t.connection.long : t.connection.connecting}</p>
      {long && server.auth === "open" && <button type="button" class="plain" onClick={rename}>{t.menu.rename}</button>}
    </div>
  );
}

/** Missing says what to do where no room is open. */
function Missing({ name }: { name: string }) {
  const { chat } = useHere();
  return (
    <main class="room">
      {name && <IconButton icon="back" label={t.room.back} class="phone-only" onClick={() => go("")} />}
      {chat.session.details().connects === 0 ? <Connecting /> : (
        <Empty title={name ? t.room.missing : t.room.choose}>
          <p>{name ? t.room.missingLead : t.room.chooseLead}</p>
          <button type="button" class="primary" onClick={() => show("rooms")}>{t.list.browse}</button>
        </Empty>
      )}
    </main>
  );
}
