import { useEffect, useState } from "preact/hooks";
import { useHere, useSnapshot } from "../ui/hooks.ts";
import { t } from "../strings.ts";

/** A connection that comes back within this time was never missed. */
const patience = 1_000;

/** Banner says that there is no connection, once that has lasted, and when the next try is. */
export function Banner() {
  const { chat } = useHere();
  const state = useSnapshot(chat.session);
  const [now, setNow] = useState(Date.now());
  const away = state.phase === "connecting" || state.phase === "waiting";
  useEffect(() => {
    if (!away) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [away]);
  if (state.phase === "stopped" && state.reason === "refused")
    return (
      <div class="banner" role="alert">
        <span>{t.connection.refused}</span>
        <button type="button" onClick={() => location.reload()}>{t.connection.reload}</button>
      </div>
    );
  if (!away || now - state.since < patience) return null;
  const queued = chat.outbox?.size ?? 0;
  const seconds = state.phase === "waiting" ? Math.max(1, Math.ceil((state.until - now) / 1_000)) : 0;
  return (
    <div class="banner">
      <span role="status">{t.connection.lost}</span>
      <span>{seconds ? t.connection.retryIn(seconds) : t.connection.retrying}</span>
      {queued > 0 && <span>{t.connection.queued(queued)}</span>}
      {state.phase === "waiting" && (
        <button type="button" onClick={() => chat.session.now()}>{t.connection.now}</button>
      )}
    </div>
  );
}
