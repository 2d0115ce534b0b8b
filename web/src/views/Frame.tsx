import { useEffect } from "preact/hooks";
import { lobby } from "../core/chat.ts";
import { addressOf, go, hide, show, ui, useUi, type Panel } from "../ui/state.ts";
import { useChat, useTitle } from "../ui/hooks.ts";
import { lazy } from "../ui/react.ts";
import { menus } from "../ui/openMenu.ts";
import { useStore } from "zustand";
import { t } from "../strings.ts";
import { Banner } from "./Banner.tsx";
import { Notices } from "./Notices.tsx";
import { RoomView } from "./RoomView.tsx";
import { Sidebar } from "./Sidebar.tsx";

const Menu = lazy(() => import("../ui/menu.tsx"));
const Panels = lazy(() => import("./panels/Panels.tsx"));

/** inText tells whether a key goes into a text. */
function inText(e: KeyboardEvent): boolean {
  const target = e.target as HTMLElement;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** shortcuts follows the keys that work everywhere. */
function shortcuts(e: KeyboardEvent, rooms: readonly { name: string }[]): void {
  const { panel, route } = ui.getState();
  if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === "k") {
    e.preventDefault();
    if (panel === "switcher") hide();
    else show("switcher");
  } else if (e.key === "?" && !inText(e) && !panel) {
    e.preventDefault();
    show("shortcuts");
  } else if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown") && rooms.length > 0) {
    e.preventDefault();
    const at = rooms.findIndex((r) => r.name === route.room);
    const to = (at + (e.key === "ArrowDown" ? 1 : rooms.length - 1)) % rooms.length;
    go(rooms[to]!.name);
  } else if (/^[^ ]$/u.test(e.key) && !e.ctrlKey && !e.metaKey && !e.altKey && !inText(e) && !panel) {
    document.querySelector<HTMLElement>(".composer textarea")?.focus(); // who types, writes
  }
}

/** Frame is the whole chat: the list of rooms, the open room, and what lies over them. */
export function Frame() {
  const { chat, view } = useChat();
  const { room } = useUi((s) => s.route);
  const panel = useUi((s) => s.panel);
  const muted = useUi((s) => s.muted);
  const menu = useStore(menus, (s) => s.menu);
  useEffect(() => {
    if (ui.getState().route.room) return;
    history.pushState(null, "", addressOf(lobby)); // the list stays behind it, for the way back
    ui.setState({ route: { room: lobby, seq: null } });
  }, []);
  useEffect(() => {
    const follow = (e: KeyboardEvent): void => shortcuts(e, chat.getSnapshot().rooms);
    addEventListener("keydown", follow);
    return () => removeEventListener("keydown", follow);
  }, [chat]);
  const waiting = view.rooms.reduce((n, r) => n + (muted.has(r.name) ? r.mentions : r.unread), 0);
  const title = t.title.page(view.rooms.find((r) => r.name === room)?.title ?? "");
  useTitle(waiting > 0 ? t.title.unread(waiting, title) : title);
  return (
    <div class="frame" data-view={room ? "room" : "list"}>
      <Banner />
      <Sidebar />
      <RoomView key={room} name={room} />
      <Notices />
      <aside aria-label={t.menu.label}>{menu && <Menu menu={menu} />}</aside>
      {panel !== "" && <Panels panel={panel as Exclude<Panel, "">} />}
    </div>
  );
}
