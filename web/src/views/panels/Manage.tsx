import { useState } from "preact/hooks";
import { Avatar, IconButton, Time } from "../../ui/basics.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { fits } from "../../ui/picker.tsx";
import { p } from "panel-strings";
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
    <Dialog title={p.manage.title} wide>
      <div>
        <label for="find">{p.manage.label}</label>
        <input id="find" type="text" autoFocus autoComplete="off" value={query} onInput={(e) => setQuery(e.currentTarget.value.trim())} />
      </div>
      {made && <NewLink made={made} hint={p.devices.addHint} />}
      <h3>{p.manage.people}</h3>
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
        <bdi>{handle}</bdi> {owner && <span class="tag">{p.manage.owner}</span>}{" "}
        {disabled && <span class="tag">{p.manage.disabled}</span>}
      </span>
      <IconButton icon="more" label={p.manage.actions(handle)} expanded={open} onClick={() => setOpen(!open)} />
      {open && (
        <div class="choices">
          <button type="button" class={disabled ? "plain" : "plain danger"} onClick={() => tell("users/disable", { disabled: !disabled })}>
            {disabled ? p.manage.enable : p.manage.disable}
          </button>
          <button type="button" class="plain" onClick={() => tell("users/owner", { owner: !owner })}>
            {owner ? p.manage.unmakeOwner : p.manage.makeOwner}
          </button>
          <button type="button" class="plain" onClick={() => tell("sign-out", { everywhere: true })}>{p.manage.signOut}</button>
          <button type="button" class="plain" onClick={() => tellDesk<MadeLink>("devices", { handle }, onLink)}>{p.manage.device}</button>
        </div>
      )}
    </li>
  );
}

function Audit() {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{p.manage.audit}</summary>
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
