import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../../ui/dialog.tsx";
import { useHere, useSnapshot } from "../../ui/hooks.ts";
import { p } from "panel-strings";

/** useKept tells whether the page opens without the network too, or why not. */
function useKept(): string {
  const { serviceWorker } = navigator;
  const [kept, setKept] = useState<string>(isSecureContext ? p.details.notKept : p.details.insecure);
  useEffect(() => {
    serviceWorker?.getRegistration().then(
      (r) => r && setKept(r.active ? p.details.kept : p.details.keeping),
      () => undefined,
    );
  }, []);
  return kept;
}

/** Details says what is known of the connection, for a report of a fault. */
export function Details() {
  const { chat } = useHere();
  const { session } = chat;
  const state = useSnapshot(session);
  const d = useSnapshot({ subscribe: session.subscribe, getSnapshot: session.details });
  const kept = useKept();
  const latency = d.latencyMs === null ? p.details.measuring : p.details.ms(d.latencyMs);
  const e = d.lastError;
  const rows: [string, string][] = [
    [p.details.state, p.details.states[state.phase]],
    [p.details.id, d.connectionId || p.details.none],
    [p.details.latency, state.phase === "open" ? latency : p.details.none],
    [p.details.server, d.server || p.details.none],
    [p.details.dialect, d.dialect],
    [p.details.connects, String(d.connects)],
    [p.details.lastClose, d.lastClose || p.details.none],
    [p.details.network, kept],
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
