import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { bytes, maxText, tidy } from "../core/text.ts";
import { IconButton } from "../ui/basics.tsx";
import { useAway, useChat } from "../ui/hooks.ts";
import { flushSync } from "../ui/react.ts";
import { show } from "../ui/state.ts";
import { t } from "../strings.ts";
import { begunAt, emoji, people, type Begun, type Suggestion } from "./completion.ts";
import { takeInserts } from "./insert.ts";
import type { Shown } from "./RoomView.tsx";

/** Composer is where one writes. Each room has a draft of its own, kept over reloads. */
export function Composer({ shown }: { shown: Shown }) {
  const { room } = shown;
  const { chat } = useChat();
  const away = useAway();
  const [text, setText] = useState(() => chat.draft(room.name));
  const area = useRef<HTMLTextAreaElement>(null);
  const { begun, suggestions, chosen, look, keys, forget } = useCompletion();

  const write = (value: string, cursor = value.length): void => {
    setText(value);
    chat.setDraft(room.name, value);
    if (value) chat.typingIn(room);
    look(value, cursor);
  };
  useDraft(room.name, text, setText);
  useGrowing(area, text);
  useEffect(() => {
    // Where there is a keyboard one can write at once; elsewhere a field with the focus raises one.
    if (matchMedia("(hover: hover)").matches && !document.querySelector("dialog[open]")) area.current?.focus();
  }, []);

  const put = (from: number, to: number, what: string): void => {
    const element = area.current;
    if (!element) return;
    flushSync(() => write(element.value.slice(0, from) + what + element.value.slice(to)));
    forget();
    element.focus(); // at once: what is typed next belongs behind it
    element.setSelectionRange(from + what.length, from + what.length);
  };
  const complete = (s: Suggestion | undefined): void => {
    if (s && begun && area.current) put(begun.from, area.current.selectionStart, s.insert);
  };
  useEffect(() => {
    takeInserts((what) => {
      const element = area.current;
      if (element) put(element.selectionStart, element.selectionEnd, what);
    });
    return () => takeInserts(null);
  });

  const over = bytes(tidy(text)) - maxText;
  const send = (): void => {
    const clean = tidy(text);
    if (!clean.trim() || over > 0) return;
    chat.send(room, clean);
    setText("");
    chat.setDraft(room.name, "");
    forget();
    area.current?.focus();
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    if (e.isComposing || e.keyCode === 229) return; // an input method is at work
    if (keys(e, complete)) return;
    if (e.key !== "Enter" || e.shiftKey || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    send();
  };
  const label = shown.kind === "direct" ? t.composer.direct(shown.peer) : t.composer.label(shown.title);
  return (
    <form
      class="composer"
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      {suggestions.length > 0 && <Suggestions list={suggestions} chosen={chosen} onChoose={complete} />}
      <div class="field">
        <textarea
          ref={area} rows={1} value={text} placeholder={label} aria-label={label} enterkeyhint="send"
          aria-autocomplete="list"
          aria-controls={suggestions.length > 0 ? "suggestions" : undefined}
          aria-activedescendant={suggestions.length > 0 ? `suggestion-${chosen}` : undefined}
          onInput={(e) => write(e.currentTarget.value, e.currentTarget.selectionStart)}
          onKeyDown={onKeyDown} onBlur={forget}
        />
        <IconButton icon="smile" label={t.composer.emoji} onClick={() => show("emoji")} />
        <IconButton icon="send" label={t.composer.send} class="send" submit disabled={!text.trim() || over > 0} />
      </div>
      <p class="below" role={over > 0 ? "alert" : undefined}>
        {over > 0 ? t.composer.tooLong(over) : away ? t.composer.offline : t.composer.hint}
      </p>
    </form>
  );
}

/** useDraft takes up what an earlier visit left, once it is read, unless something was typed. */
function useDraft(room: string, text: string, setText: (text: string) => void): void {
  const { chat } = useChat();
  const kept = chat.draft(room);
  const touched = useRef(text !== "");
  if (text) touched.current = true;
  useEffect(() => {
    if (!touched.current && kept) setText(kept);
  }, [kept]);
}

/** useGrowing makes a field as high as its text; the style sheet has the limit. */
function useGrowing(area: { current: HTMLTextAreaElement | null }, text: string): void {
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
}

/** useCompletion suggests names after @ and emoji after a colon. */
function useCompletion() {
  const { view } = useChat();
  const [begun, setBegun] = useState<Begun | null>(null);
  const [suggestions, setSuggestions] = useState<Suggestion[]>([]);
  const [chosen, setChosen] = useState(0);
  const asked = useRef(0);
  const forget = (): void => {
    asked.current++;
    setBegun(null);
    setSuggestions([]);
  };
  const look = (text: string, cursor: number): void => {
    const now = begunAt(text, cursor);
    if (!now) return forget();
    const turn = ++asked.current;
    setBegun(now);
    setChosen(0);
    if (now.kind === "@") return setSuggestions(people(now.word, view.people, view.online, view.me));
    emoji(now.word).then(
      (found) => turn === asked.current && setSuggestions(found),
      () => undefined,
    );
  };
  const keys = (e: KeyboardEvent, complete: (s: Suggestion | undefined) => void): boolean => {
    const n = suggestions.length;
    if (n === 0) return false;
    const step = { ArrowDown: 1, ArrowUp: n - 1 }[e.key];
    if (step) setChosen((chosen + step) % n);
    else if (e.key === "Enter" || e.key === "Tab") complete(suggestions[chosen]);
    else if (e.key === "Escape") forget();
    else return false;
    e.preventDefault();
    e.stopPropagation();
    return true;
  };
  return { begun, suggestions, chosen, look, keys, forget };
}

function Suggestions(props: { list: Suggestion[]; chosen: number; onChoose: (s: Suggestion) => void }) {
  return (
    <ul class="suggestions" id="suggestions" role="listbox" aria-label={t.composer.suggestions}>
      {props.list.map((s, i) => (
        <li
          key={s.label} id={`suggestion-${i}`} role="option" aria-selected={i === props.chosen}
          onMouseDown={(e) => {
            e.preventDefault(); // the field keeps the focus
            props.onChoose(s);
          }}
        >
          <span>{s.label}</span> <small>{s.detail}</small>
        </li>
      ))}
    </ul>
  );
}
