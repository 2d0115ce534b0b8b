import { useState } from "preact/hooks";
import { Time } from "../../ui/basics.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { p } from "panel-strings";
import { t } from "../../strings.ts";
import { deviceName } from "./deviceName.ts";
import { NewLink, type MadeLink } from "./NewLink.tsx";
import { tellDesk, useDesk } from "./useDesk.ts";

interface Device {
  id: string;
  device: string;
  made: string;
  used: string;
  here?: boolean;
}

/** Devices lists where one is signed in, and adds another one by a code. */
export function Devices() {
  const { answer, again } = useDesk<{ devices: Device[] }>("devices");
  const [made, setMade] = useState<MadeLink | null>(null);
  const leave = (): void => location.assign("./");
  return (
    <Dialog title={p.devices.title}>
      <ul class="lines">
        {answer?.devices.map((d) => (
          <li key={d.id}>
            <span class="name">
              <strong title={d.device}>{deviceName(d.device)}</strong> {d.here && <span class="tag">{p.devices.here}</span>}
              <br />
              <small>{p.devices.used} <Time at={Date.parse(d.used)} focusable={false} /></small>
            </span>
            <button
              type="button" class="plain" aria-label={p.devices.signOut(deviceName(d.device))}
              onClick={() => tellDesk("sign-out", { device: d.id }, d.here ? leave : again)}
            >
              {t.menu.signOut}
            </button>
          </li>
        ))}
      </ul>
      {made ? (
        <>
          <NewLink made={made} hint={p.devices.addHint} />
          <p class="hint">{p.devices.program}</p>
        </>
      ) : (
        <button type="button" class="primary" onClick={() => tellDesk<MadeLink>("devices", {}, setMade)}>{p.devices.add}</button>
      )}
      <button type="button" class="plain danger" onClick={() => tellDesk("sign-out", { everywhere: true }, leave)}>
        {p.devices.everywhere}
      </button>
    </Dialog>
  );
}
