import { useState } from "preact/hooks";
import { Dialog } from "../../ui/dialog.tsx";
import { useChat } from "../../ui/hooks.ts";
import { hide, notice } from "../../ui/state.ts";
import { p } from "panel-strings";
import { explain } from "./explain.ts";

/** Profile says how one wants to be shown beside one's user name. */
export function Profile() {
  const { chat, view } = useChat();
  const [name, setName] = useState(view.names.get(view.me) ?? "");
  const save = (e: Event): void => {
    e.preventDefault();
    const set = { action: "setName", name: name.trim() || view.me } as const;
    chat.session.request(set).then(hide, (error: Error) => notice(explain(error)));
  };
  return (
    <Dialog title={p.profile.title}>
      <form class="inline" onSubmit={save}>
        <div>
          <label for="shown">{p.profile.label}</label>
          <input
            id="shown" type="text" maxLength={64} autoFocus autoComplete="name" value={name}
            onInput={(e) => setName(e.currentTarget.value)}
          />
        </div>
        <button class="primary" type="submit">{p.profile.save}</button>
      </form>
      <p class="hint">{p.profile.hint}</p>
    </Dialog>
  );
}
