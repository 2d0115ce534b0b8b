import { useState } from "preact/hooks";
import { Avatar, IconButton, Time } from "../../ui/basics.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { fits } from "../../ui/picker.tsx";
import { t } from "../../strings.ts";
import { NewLink, type MadeLink } from "./NewLink.tsx";
import { tellDesk, useDesk } from "./useDesk.ts";

interface User {
  handle: string;
  owner: boolean;
  disabled: boolean;
}

interface Entry {
  id: string;
  at: string;
  actor: string;
  action: string;
  object: string;
}

/** Manage is for owners: who has an account, what may be done about it, and what was done. */
export function Manage() {
  const { answer, again } = useDesk<{ users: User[]; more: boolean }>("users?limit=200");
  const [query, setQuery] = useState("");
  const [made, setMade] = useState<MadeLink | null>(null);
  const users = answer?.users.filter((u) => fits(u.handle, query)) ?? [];
  return (
    <Dialog title={t.manage.title} wide>
      <div>
        <label for="find">{t.manage.label}</label>
        <input id="find" type="text" autoFocus autoComplete="off" value={query} onInput={(e) => setQuery(e.currentTarget.value.trim())} />
      </div>
      {made && <NewLink made={made} hint={t.devices.addHint} />}
      <h3>{t.manage.people}</h3>
      <ul class="lines">
        {users.map((u) => <UserLine key={u.handle} user={u} again={again} onLink={setMade} />)}
      </ul>
      <Audit />
    </Dialog>
  );
}

function UserLine({ user, again, onLink }: { user: User; again: () => void; onLink: (link: MadeLink) => void }) {
  const { handle, owner, disabled } = user;
  const [open, setOpen] = useState(false);
  const tell = (path: string, body: object): void => tellDesk(path, { handle, ...body }, again);
  return (
    <li class="wrap">
      <Avatar name={handle} small />
      <span class="name">
        <bdi>{handle}</bdi> {owner && <span class="tag">{t.manage.owner}</span>}{" "}
        {disabled && <span class="tag">{t.manage.disabled}</span>}
      </span>
      <IconButton icon="more" label={t.manage.actions(handle)} expanded={open} onClick={() => setOpen(!open)} />
      {open && (
        <div class="choices">
          <button type="button" class={disabled ? "plain" : "plain danger"} onClick={() => tell("users/disable", { disabled: !disabled })}>
            {disabled ? t.manage.enable : t.manage.disable}
          </button>
          <button type="button" class="plain" onClick={() => tell("users/owner", { owner: !owner })}>
            {owner ? t.manage.unmakeOwner : t.manage.makeOwner}
          </button>
          <button type="button" class="plain" onClick={() => tell("sign-out", { everywhere: true })}>{t.manage.signOut}</button>
          <button type="button" class="plain" onClick={() => tellDesk<MadeLink>("devices", { handle }, onLink)}>{t.manage.device}</button>
        </div>
      )}
    </li>
  );
}

function Audit() {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t.manage.audit}</summary>
      {open && <Entries />}
    </details>
  );
}

function Entries() {
  const { answer } = useDesk<{ entries: Entry[] }>("audit?limit=50");
  return (
    <ul class="lines">
      {answer?.entries.map((e) => (
        <li key={e.id}>
          <span class="name">{e.actor} {e.action} {e.object}</span>
          <small><Time at={Date.parse(e.at)} focusable={false} /></small>
        </li>
      ))}
    </ul>
  );
}
