import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons.tsx";
import { exact, hue, initial, ago } from "./format.ts";
import { useNow } from "./hooks.ts";
import { t } from "../strings.ts";

/** IconButton is a button with a picture; its label is said and shown on hover. */
export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick?: (e: MouseEvent) => void;
  class?: string;
  pressed?: boolean;
  disabled?: boolean;
  expanded?: boolean;
  submit?: boolean;
}) {
  return (
    <button
      type={props.submit ? "submit" : "button"}
      class={`icon-button ${props.class ?? ""}`}
      aria-label={props.label}
      title={props.label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}

/** Avatar is a name's first letter in a colour of its own; with online known, a dot that says it. */
export function Avatar({ name, online, small }: { name: string; online?: boolean; small?: boolean }) {
  return (
    <span class={`avatar hue-${hue(name)} ${small ? "small" : ""}`}>
      <span aria-hidden="true">{initial(name)}</span>
      {online !== undefined && <Dot online={online} />}
    </span>
  );
}

/** Dot tells whether somebody is here, in words too. */
export function Dot({ online }: { online: boolean }) {
  const text = online ? t.presence.online : t.presence.offline;
  return (
    <span class={online ? "dot on" : "dot"} title={text}>
      <span class="offscreen">{text}</span>
    </span>
  );
}

/** Time is relative; the exact one shows on hover and on focus. */
export function Time({ at, focusable = true }: { at: number; focusable?: boolean }) {
  const now = useNow();
  return (
    <time
      dateTime={new Date(at).toISOString()}
      data-exact={exact(at)}
      aria-label={exact(at)}
      tabIndex={focusable ? 0 : undefined}
    >
      {ago(at, now)}
    </time>
  );
}

/** Empty says what to do where there is nothing. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Badge counts what is unread; mentions stand out. */
export function Badge({ unread, mentions, direct }: { unread: number; mentions: number; direct: boolean }) {
  if (unread === 0) return null;
  const n = mentions || unread;
  const text = mentions && !direct ? t.list.mentions(mentions) : t.list.unread(unread);
  return (
    <span class={mentions ? "badge strong" : "badge"} title={text}>
      <span aria-hidden="true">{n > 99 ? "99+" : n}</span>
      <span class="offscreen">, {text}</span>
    </span>
  );
}
