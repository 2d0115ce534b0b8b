import { Dialog } from "../../ui/dialog.tsx";
import { t } from "../../strings.ts";

/** Shortcuts lists the keys. */
export function Shortcuts() {
  return <Dialog title={t.menu.shortcuts}><p /></Dialog>;
}
