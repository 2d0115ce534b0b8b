import { choose, openKeep } from "../core/keep.ts";
import { ask, type About } from "../core/server.ts";
import { openMenu, type Choice } from "../ui/openMenu.ts";
import { notice, setNotify, setTheme, show, ui, type Theme } from "../ui/state.ts";
import { t } from "../strings.ts";
import { askToNotify, canNotify } from "./notify.ts";

/** openUserMenu shows what a person can do with their own page. */
export function openUserMenu(from: HTMLElement, server: About, me: string, owner: boolean): void {
  const { theme } = ui.getState();
  const signedIn = server.auth !== "open" && server.auth !== "proxy"; // by this page
  const themed = (value: Theme, label: string): Choice => ({
    label: `${t.menu.theme}: ${label}`, icon: "sun", checked: theme === value, run: () => setTheme(value),
  });
  const choices: Choice[] = [
    themed("", t.menu.system),
    themed("light", t.menu.light),
    themed("dark", t.menu.dark),
    notification(),
  ];
  if (server.auth === "open") {
    choices.push({ label: t.menu.rename, icon: "edit", run: rename });
  } else {
    choices.push({ label: t.menu.profile, icon: "edit", run: () => show("profile") });
    if (owner)
      choices.push(
        { label: t.menu.people, icon: "plus", run: () => show("invitePeople") },
        { label: t.menu.manage, icon: "shield", run: () => show("manage") },
      );
    if (signedIn && !server.issuer)
      choices.push({ label: t.menu.devices, icon: "device", run: () => show("devices") });
  }
  choices.push(
    { label: t.menu.details, icon: "plug", run: () => show("details") },
    { label: t.menu.shortcuts, icon: "keyboard", run: () => show("shortcuts") },
  );
  if (signedIn)
    choices.push({ label: t.menu.signOut, icon: "out", run: () => void signOut(server, me), danger: true });
  openMenu(from, t.list.me(me), choices);
}

/** notification turns notifications on, by the click that browsers ask for, or off. */
function notification(): Choice {
  const can = canNotify();
  const on = ui.getState().notify && can === "granted";
  return {
    label: on ? t.menu.notifyOff : t.menu.notify,
    icon: on ? "mute" : "bell",
    run: () => {
      if (on) setNotify(false);
      else if (can === "insecure") notice(t.menu.notifyInsecure);
      else if (can === "denied") notice(t.menu.notifyDenied);
      else void askToNotify().then(() => notice(ui.getState().notify ? t.menu.notifyOn : t.menu.notifyDenied));
    },
  };
}

/** rename asks for another name: on an open server that is another user, and what one wrote waits for it. */
export function rename(): void {
  choose("name", "");
  choose("known", "");
  location.reload();
}

/** forget takes away what this browser keeps of a user. */
async function forget(me: string): Promise<void> {
  for (const name of ["known", "muted"]) choose(name, "");
  const keep = await openKeep();
  for (const { id } of await keep.outbox(me)) await keep.dropOutbox(id);
  for (const room of (await keep.drafts(me)).keys()) await keep.putDraft(me, room, "");
}

async function signOut({ issuer }: About, me: string): Promise<void> {
  if (issuer) {
    await forget(me);
    return (await import("../core/issuer.ts")).signOut(issuer);
  }
  try {
    const { leave } = await ask<{ leave?: string }>("sign-out", {});
    await forget(me);
    location.assign(leave || "./"); // the issuer's page, where people sign out there too
  } catch (error) {
    notice((error as Error).message);
  }
}
