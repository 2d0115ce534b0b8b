import { useState } from "preact/hooks";
import { isName } from "../../core/names.ts";
import { t } from "../../strings.ts";
import { Icon } from "../../ui/icons.tsx";
import { useTitle } from "../../ui/hooks.ts";

/** Start asks for a name: all that an open server needs. */
export default function Start({ onName, current = "" }: { onName: (name: string) => void; current?: string }) {
  const [name, setName] = useState(current);
  const [problem, setProblem] = useState("");
  useTitle(t.app);
  const submit = (e: Event): void => {
    e.preventDefault();
    const chosen = name.trim();
    if (isName(chosen)) onName(chosen);
    else setProblem(chosen ? t.start.rule : t.start.empty);
  };
  return (
    <main class="card">
      <p class="brand"><Icon name="people" /> {t.app}</p>
      <h1>{t.start.title}</h1>
      <p>{t.start.lead}</p>
      <form onSubmit={submit} noValidate>
        <label for="name">{t.start.name}</label>
        <input
          id="name" name="name" value={name} autoFocus autoComplete="nickname" autoCapitalize="none"
          spellcheck={false} maxLength={64} aria-describedby="problem" aria-invalid={problem !== ""}
          onInput={(e) => setName(e.currentTarget.value)}
        />
        <p id="problem" class="problem" role="alert">{problem}</p>
        <button class="primary" type="submit">{t.start.go}</button>
      </form>
      <p class="hint">{t.start.open}</p>
    </main>
  );
}
