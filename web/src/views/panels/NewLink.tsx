import { copy } from "../../ui/clipboard.ts";
import { p } from "panel-strings";

/** MadeLink is a link as the server shows it, once. */
export interface MadeLink {
  link: string;
  id: string;
  until: string;
  qr: string[];
}

const margin = 4; // light modules around a code, which readers need (ISO/IEC 18004 section 6.3.8)

/** NewLink shows a link to hand on: as text and as a code for phones. */
export function NewLink({ made, hint }: { made: MadeLink; hint: string }) {
  return (
    <div class="new-link">
      <p>{hint}</p>
      <p class="link"><code>{made.link}</code></p>
      <button type="button" class="plain" onClick={() => void copy(made.link)}>{p.links.copy}</button>
      <Code rows={made.qr} />
    </div>
  );
}

/** Code draws the dark modules of a QR code, dark on white whatever the page's colours are. */
function Code({ rows }: { rows: string[] }) {
  const size = rows.length + 2 * margin;
  const path = rows.flatMap((row, y) =>
    [...row].map((m, x) => (m === "1" ? `M${x + margin} ${y + margin}h1v1h-1z` : ""))).join("");
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={p.devices.qr} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
