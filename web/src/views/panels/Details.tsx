import { Dialog } from "../../ui/dialog.tsx";
import { useHere, useSnapshot } from "../../ui/hooks.ts";
import { p } from "panel-strings";

/** Details says what is known of the connection, for a report of a fault. */
export function Details() {
  const { chat } = useHere();
  const { session } = chat;
  const state = useSnapshot(session);
  const d = useSnapshot({ subscribe: session.subscribe, getSnapshot: session.details });
  const e = d.lastError;
  const rows: [string, string][] = [
    [p.details.state, p.details.states[state.phase]],
    [p.details.id, d.connectionId || p.details.none],
    [p.details.latency, d.latencyMs === null ? p.details.measuring : p.details.ms(d.latencyMs)],
    [p.details.server, d.server],
    [p.details.dialect, d.dialect],
    [p.details.connects, String(d.connects)],
    [p.details.lastClose, d.lastClose || p.details.none],
    [p.details.lastError, e ? p.details.error(e.code, e.message, e.requestId ?? "") : p.details.none],
  ];
  return (
    <Dialog title={p.details.title}>
      <dl class="facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {location.protocol === "http:" && !isSecureContext && <p class="hint">{p.details.secure}</p>}
    </Dialog>
  );
}
