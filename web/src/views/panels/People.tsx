import { useEffect } from "preact/hooks";
import { isName } from "../../core/names.ts";
import { same } from "../../core/mentions.ts";
import { Avatar } from "../../ui/basics.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { useChat } from "../../ui/hooks.ts";
import { fits, Picker, type Option } from "../../ui/picker.tsx";
import { go } from "../../ui/state.ts";
import { p } from "panel-strings";
import { t } from "../../strings.ts";

const nobody = (query: string): string => (query ? p.dialog.nothing : p.people.nobody);

/** People begins a direct message. */
export function People() {
  const { chat, view } = useChat();
  useEffect(() => void chat.lookAround().catch(() => undefined), []);
  const options = (query: string): Option[] => {
    const found = view.people.filter((p) => fits(p, query) && !same(p, view.me));
    const here = (p: string): number => (view.online.has(p) ? 0 : 1);
    const list = found.sort((a, b) => here(a) - here(b)).slice(0, 50);
    if (isName(query) && !view.people.some((p) => same(p, query))) list.push(query);
    return list.map((p) => ({
      key: p, label: p, detail: view.online.has(p) ? t.presence.online : t.presence.offline,
      before: <Avatar name={p} online={view.online.has(p)} small />, run: () => go(chat.direct(p).name),
    }));
  };
  return (
    <Dialog title={p.people.title}>
      <Picker label={p.people.label} hint={p.people.hint} options={options} empty={nobody} />
    </Dialog>
  );
}
