// Times as people read them, in their own time zone and order of day and month.
import { t } from "../strings.ts";

const minute = 60_000;
const hour = 60 * minute;
const relative = new Intl.RelativeTimeFormat("en", { style: "narrow", numeric: "always" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const long = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const dayName = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayYear = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });

/** ago gives a time as seen from now: "now", "5 min ago", then the clock, then the date. */
export function ago(at: number, now: number): string {
  const past = now - at;
  if (past < minute) return t.timeline.now;
  if (past < hour) return relative.format(-Math.floor(past / minute), "minute");
  if (sameDay(at, now)) return clock.format(at);
  return `${date.format(at)}, ${clock.format(at)}`;
}

/** shortClock gives the time of day alone. */
export const shortClock = (at: number): string => clock.format(at);

/** exact gives the whole date and time. */
export const exact = (at: number): string => long.format(at);

/** day gives the name of a day as a separator has it. */
export function day(at: number, now: number): string {
  if (sameDay(at, now)) return t.timeline.today;
  if (sameDay(at, now - 24 * hour)) return t.timeline.yesterday;
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (thisYear ? dayName : dayYear).format(at);
}

function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** hue gives one of the avatar colours, the same for a name each time. */
export function hue(name: string): number {
  let sum = 7;
  for (const c of name.toLowerCase()) sum = (sum * 31 + (c.codePointAt(0) ?? 0)) >>> 0;
  return sum % 8;
}

/** initial gives the first letter of a name. */
export function initial(name: string): string {
  const [first = "?"] = name;
  return first.toUpperCase();
}
