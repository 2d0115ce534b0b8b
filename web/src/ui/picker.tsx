import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { p } from "panel-strings";

/** Option is one line to choose. */
export interface Option {
  key: string;
  label: ComponentChildren;
  detail?: string;
  before?: ComponentChildren;
  run: () => void;
}

/** Picker is a field with a list below: the focus stays in the field, arrows choose, Enter takes. */
export function Picker(props: {
  label: string;
  hint?: string;
  options: (query: string) => Option[];
  loading?: boolean;
  empty?: (query: string) => string; // what to say where there is nothing to choose
  children?: ComponentChildren;
}) {
  const { empty = (typed) => (typed ? p.dialog.nothing : "") } = props;
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const options = props.options(query.trim());
  const at = Math.min(chosen, options.length - 1);
  useEffect(() => {
    document.getElementById(`option-${at}`)?.scrollIntoView?.({ block: "nearest" });
  }, [at]);
  const keys = (e: KeyboardEvent): void => {
    const n = options.length;
    if (e.isComposing) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + n, Home: 0, End: n - 1 }[e.key];
    if (to !== undefined && n > 0 && !(query && (e.key === "Home" || e.key === "End"))) setChosen(to % n);
    else if (e.key === "Enter") options[at]?.run();
    else return;
    e.preventDefault();
  };
  return (
    <div class="picker">
      <label for="picker">{props.label}</label>
      <input
        id="picker" type="text" role="combobox" aria-expanded={options.length > 0} aria-controls="picker-list"
        aria-autocomplete="list" aria-activedescendant={at >= 0 ? `option-${at}` : undefined} autoFocus
        autoComplete="off" autoCapitalize="none" spellcheck={false} value={query} onKeyDown={keys}
        onInput={(e) => {
          setQuery(e.currentTarget.value);
          setChosen(0);
        }}
      />
      {props.hint && <p class="hint">{props.hint}</p>}
      <ul id="picker-list" role="listbox" aria-label={p.dialog.results}>
        {options.map((o, i) => (
          <li key={o.key} id={`option-${i}`} role="option" aria-selected={i === at} onClick={o.run}>
            {o.before}
            <span class="name"><bdi>{o.label}</bdi></span>
            {o.detail && <small>{o.detail}</small>}
          </li>
        ))}
      </ul>
      {options.length === 0 && (
        <p class="hint" role="status">{props.loading ? p.dialog.loading : empty(query.trim())}</p>
      )}
      {props.children}
    </div>
  );
}

/** fits tells whether a name has what was typed. */
export function fits(name: string, query: string): boolean {
  return name.toLowerCase().includes(query.toLowerCase());
}
