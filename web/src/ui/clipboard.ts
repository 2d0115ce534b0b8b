import { t } from "../strings.ts";
import { notice } from "./state.ts";

/** copy puts text on the clipboard and says whether that worked: without TLS browsers refuse. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notice(t.message.copied);
  } catch {
    notice(copyOldWay(text) ? t.message.copied : t.message.copyFailed);
  }
}

/** copyOldWay works without TLS in most browsers: it copies a selection. */
function copyOldWay(text: string): boolean {
  const before = document.activeElement as HTMLElement | null;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  area.setAttribute("aria-hidden", "true");
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  let done = false;
  try {
    done = document.execCommand("copy");
  } catch {
    done = false;
  }
  area.remove();
  before?.focus();
  return done;
}
