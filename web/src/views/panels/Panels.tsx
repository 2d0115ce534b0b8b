import type { Panel } from "../../ui/state.ts";
import { Shortcuts } from "./Shortcuts.tsx";

/** Panels are what opens over the chat; they are loaded when the first one does. */
export default function Panels({ panel }: { panel: Exclude<Panel, ""> }) {
  if (panel === "shortcuts") return <Shortcuts />;
  return null;
}
