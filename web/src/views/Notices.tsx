import { useEffect } from "preact/hooks";
import { ui, useUi } from "../ui/state.ts";

/** How long a notice stays. */
const shown = 4_000;

/** Notices are the line that comes and goes, and the one region that screen readers listen to. */
export function Notices() {
  const notice = useUi((s) => s.notice);
  const announcement = useUi((s) => s.announcement);
  useEffect(() => {
    if (!notice) return;
    const timer = setTimeout(() => ui.setState({ notice: null }), shown);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <>
      <div class="notices" role="status">{notice && <p key={notice.key}>{notice.text}</p>}</div>
      <div class="offscreen" id="announcements" aria-live="polite">{announcement}</div>
    </>
  );
}
