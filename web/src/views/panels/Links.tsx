import { useState } from "preact/hooks";
import { Dialog } from "../../ui/dialog.tsx";
import { p } from "panel-strings";
import { NewLink, type MadeLink } from "./NewLink.tsx";
import { tellDesk, useDesk } from "./useDesk.ts";

interface Link {
  id: string;
  kind: string;
  uses: number;
  used: number;
  until: string;
}

const until = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Links makes invitations, and ends those that still work. */
export function Links() {
  const { answer, again } = useDesk<{ links: Link[] }>("links");
  const [made, setMade] = useState<MadeLink | null>(null);
  const [uses, setUses] = useState("1");
  const [life, setLife] = useState("604800");
  const make = (e: Event): void => {
    e.preventDefault();
    tellDesk<MadeLink>("links", { uses: Number(uses) || 1, seconds: Number(life) }, (link) => {
      setMade(link);
      again();
    });
  };
  return (
    <Dialog title={p.links.title}>
      <form class="inline" onSubmit={make}>
        <div>
          <label for="uses">{p.links.uses}</label>
          <input id="uses" type="number" min={1} max={1000} value={uses} autoFocus onInput={(e) => setUses(e.currentTarget.value)} />
        </div>
        <div>
          <label for="life">{p.links.life}</label>
          <select id="life" value={life} onChange={(e) => setLife(e.currentTarget.value)}>
            {p.links.lives.map(([value, name]) => <option key={value} value={value}>{name}</option>)}
          </select>
        </div>
        <button class="primary" type="submit">{p.links.make}</button>
      </form>
      {made && <NewLink made={made} hint={p.links.made} />}
      <h3>{p.links.open}</h3>
      <ul class="lines">
        {answer?.links.length === 0 && <li class="hint">{p.links.none}</li>}
        {answer?.links.map((l) => (
          <li key={l.id}>
            <span class="name">
              <strong>{l.kind}</strong> <small>{p.links.used(l.used, l.uses)}, {p.links.until} {until.format(Date.parse(l.until))}</small>
            </span>
            <button type="button" class="plain danger" onClick={() => tellDesk("links/end", { id: l.id }, again)}>{p.links.end}</button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
