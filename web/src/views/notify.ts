import type { Chat, News } from "../core/chat.ts";
import { go, setNotify, ui } from "../ui/state.ts";

/** News older than this is no news: it was said while this browser was away. */
const fresh = 60_000;

/** canNotify says what this browser allows: it wants a page over HTTPS or on localhost. */
export function canNotify(): "insecure" | NotificationPermission {
  if (typeof Notification === "undefined" || !isSecureContext) return "insecure";
  return Notification.permission;
}

/** askToNotify asks the person, who has clicked for it. */
export async function askToNotify(): Promise<void> {
  if (canNotify() === "insecure") return;
  setNotify((await Notification.requestPermission()) === "granted");
}

/** wanted tells whether somebody is to be called for a message. */
export function wanted(news: News, now: number): boolean {
  const { notify, muted, attentive, route } = ui.getState();
  if (!notify || muted.has(news.room.name) || !(news.direct || news.mention)) return false;
  if (attentive && route.room === news.room.name) return false;
  return now - news.item.at < fresh;
}

/** tell shows a notification where it is wanted. */
export function tell(chat: Chat, news: News): void {
  if (!wanted(news, Date.now()) || canNotify() !== "granted") return;
  const { room, item, direct } = news;
  const title = direct ? item.from : `${item.from} in ${room.name}`;
  try {
    const shown = new Notification(title, { body: item.text.slice(0, 200), tag: room.name, icon: "./icon.svg" });
    shown.onclick = () => {
      window.focus();
      if (chat.room(room.name)) go(room.name, item.seq);
      shown.close();
    };
  } catch {
    // Some phones allow notifications to service workers alone.
  }
}
