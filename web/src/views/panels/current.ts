import type { Room } from "../../core/room.ts";
import { useChat } from "../../ui/hooks.ts";
import { useUi } from "../../ui/state.ts";

/** useCurrent gives the open room that a panel is about, and how it is called. */
export function useCurrent(): { room: Room | undefined; title: string } {
  const { chat, view } = useChat();
  const { room: name } = useUi((s) => s.route);
  const room = name.startsWith("to:") ? chat.direct(name.slice(3)) : chat.room(name);
  const info = view.rooms.find((r) => r.name === name);
  return { room, title: info?.title ?? name.replace(/^to:/, "") };
}
