import { Dialog } from "../../ui/dialog.tsx";
import { useHere, useSnapshot } from "../../ui/hooks.ts";
import { t } from "../../strings.ts";

/** Details says what is known of the connection, for a report of a fault. */
export function Details() {
  const { chat } = useHere();
  const { session } = chat;
  const state = useSnapshot(session);
  const d = useSnapshot({ subscribe: session.subscribe, getSnapshot: session.details });
  const e = d.lastError;
  const rows: [string, string][] = [
    [t.details.state, t.details.states[state.phase]],
    [t.details.id, d.connectionId || t.details.none],
    [t.details.latency, d.latencyMs === null ? t.details.measuring : t.details.ms(d.latencyMs)],
    [t.details.server, d.server],
    [t.details.dialect, d.dialect],
    [t.details.connects, String(d.connects)],
    [t.details.lastClose, d.lastClose || t.details.none],
    [t.details.lastError, e ? t.details.error(e.code, e.message, e.requestId ?? "") : t.details.none],
  ];
  return (
    <Dialog title={t.details.title}>
      <dl class="facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {location.protocol === "http:" && !isSecureContext && <p class="hint">{t.details.secure}</p>}
    </Dialog>
  );
}
