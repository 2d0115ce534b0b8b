import { Dialog } from "../../ui/dialog.tsx";
import { p } from "panel-strings";
import { t } from "../../strings.ts";

/** Shortcuts lists the keys. */
export function Shortcuts() {
  return (
    <Dialog title={t.menu.shortcuts}>
      <dl class="keys">
        {p.shortcuts.rows.map(([keys, what]) => (
          <div key={keys}>
            <dt>{what}</dt>
            <dd>{keys.split(", ").map((key) => <kbd key={key}>{key}</kbd>)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
