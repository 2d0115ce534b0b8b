// What the page shows beside the chat itself: where one is, which panel is open, choices of this browser.
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { choice, choose } from "../core/keep.ts";

/** Route is a room, or a message of one; a room "to:bob" is a direct one before its first message. */
export interface Route {
  room: string;
  seq: number | null;
}

/** Panel is what lies over the chat. */
export type Panel =
  | "" | "rooms" | "people" | "members" | "search" | "invite" | "switcher" | "shortcuts" | "details"
  | "profile" | "expel" | "devices" | "invitePeople" | "manage" | "emoji";

export type Theme = "" | "light" | "dark";

export interface Ui {
  route: Route;
  panel: Panel;
  theme: Theme;
  muted: ReadonlySet<string>;
  notify: boolean;
  notice: { text: string; key: number } | null;
  announcement: string;
  attentive: boolean; // the page is in sight and has the focus
}

export const ui = createStore<Ui>(() => ({
  route: readRoute(),
  panel: "",
  theme: choice("theme") as Theme,
  muted: new Set(choice("muted").split("\n").filter(Boolean)),
  notify: choice("notify") === "on",
  notice: null,
  announcement: "",
  attentive: isAttentive(),
}));

/** useUi gives a part of the state. */
export function useUi<T>(select: (state: Ui) => T): T {
  return useStore(ui, select);
}

/** readRoute reads the address: #/tea, #/tea/17. */
export function readRoute(): Route {
  const [, room = "", seq = ""] = location.hash.slice(1).split("/").map(decode);
  return { room, seq: /^[1-9]\d*$/.test(seq) ? Number(seq) : null };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** addressOf gives the address of a room or message. */
export function addressOf(room: string, seq?: number): string {
  return `#/${encodeURIComponent(room)}${seq ? `/${seq}` : ""}`;
}

/** linkTo gives the address of a room or message to hand on. */
export function linkTo(room: string, seq?: number): string {
  return new URL(addressOf(room, seq), location.href).href;
}

/** What waits until the way back from a panel is over: it takes a moment, and would undo what comes meanwhile. */
let waiting: (() => void)[] | null = null;
let overdue: ReturnType<typeof setTimeout>;

function wayBack(): void {
  waiting = [];
  overdue = setTimeout(wasBack, 1_000); // a browser may refuse it
  history.back();
}

function wasBack(): void {
  const all = waiting;
  waiting = null;
  clearTimeout(overdue);
  all?.forEach((run) => run());
}

/** go shows a room, or a message of it. */
export function go(room: string, seq?: number): void {
  if (waiting) return void waiting.push(() => go(room, seq));
  const state = ui.getState();
  if (state.panel) history.replaceState(null, "", addressOf(room, seq));
  else if (location.hash !== addressOf(room, seq)) history.pushState(null, "", addressOf(room, seq));
  ui.setState({ panel: "", route: { room, seq: seq ?? null } });
}

/** show opens a panel; the way back, as the gesture on a phone, closes it. */
export function show(panel: Panel): void {
  if (waiting) return void waiting.push(() => show(panel));
  if (ui.getState().panel) history.replaceState({ panel }, "");
  else history.pushState({ panel }, "");
  ui.setState({ panel });
}

/** hide closes the panel. */
export function hide(): void {
  if (!ui.getState().panel) return;
  ui.setState({ panel: "" });
  if ((history.state as { panel?: string } | null)?.panel) wayBack();
}

let notices = 0;

/** notice says something in a line that goes by itself, and to screen readers. */
export function notice(text: string): void {
  ui.setState({ notice: { text, key: ++notices } });
}

/** announce tells screen readers, politely. */
export function announce(text: string): void {
  ui.setState({ announcement: text });
}

export function setTheme(theme: Theme): void {
  choose("theme", theme);
  ui.setState({ theme });
}

export function setMuted(room: string, muted: boolean): void {
  const all = new Set(ui.getState().muted);
  if (muted) all.add(room);
  else all.delete(room);
  choose("muted", [...all].join("\n"));
  ui.setState({ muted: all });
}

export function setNotify(on: boolean): void {
  choose("notify", on ? "on" : "");
  ui.setState({ notify: on });
}

function isAttentive(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** watch follows the address, the window's focus and the way back. */
export function watch(): void {
  addEventListener("popstate", (e) => {
    const panel = ((e.state as { panel?: Panel } | null)?.panel ?? "") as Panel;
    ui.setState({ panel, route: readRoute() });
    wasBack();
  });
  const look = (): void => ui.setState({ attentive: isAttentive() });
  for (const name of ["focus", "blur"]) addEventListener(name, look);
  document.addEventListener("visibilitychange", look);
}
