import { useMemo } from "preact/hooks";
import type { Item } from "../../core/runs.ts";
import { Avatar, Time } from "../../ui/basics.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { useSnapshot } from "../../ui/hooks.ts";
import { Picker, type Option } from "../../ui/picker.tsx";
import { go } from "../../ui/state.ts";
import { p } from "panel-strings";
import type { Room } from "../../core/room.ts";
import { useCurrent } from "./current.ts";

const most = 100; // results that are shown
const before = 40; // characters of a message before what was found
const length = 160; // and in all

/** Search looks through what is loaded of the open room. */
export function Search() {
  const { room, title } = useCurrent();
  return (
    <Dialog title={p.search.title(title)} wide>
      {room && <Loaded room={room} />}
    </Dialog>
  );
}

type Said = Extract<Item, { kind: "message" }>;

function Loaded({ room }: { room: Room }) {
  const view = useSnapshot(room);
  const all = useMemo(() => [...room.items()].filter((i): i is Said => i.kind === "message").reverse(), [view.rows]);
  const options = (query: string): Option[] => {
    if (!query) return [];
    const words = query.toLowerCase().split(/\s+/);
    const found = all.filter((m) => {
      const text = `${m.from} ${m.text}`.toLowerCase();
      return words.every((w) => text.includes(w));
    });
    return found.slice(0, most).map((m) => ({
      key: String(m.seq), label: <Found said={m} words={words} />, before: <Avatar name={m.from} small />,
      run: () => go(room.name, m.seq),
    }));
  };
  return (
    <Picker label={p.search.label} hint={`${p.search.hint} ${p.search.loaded(all.length)}.`} options={options}>
      {!view.atStart && (
        <button type="button" class="plain" disabled={view.loading} onClick={() => void room.older(200)}>
          {p.search.older}
        </button>
      )}
    </Picker>
  );
}

/** Found is a message with what it was found by. */
function Found({ said, words }: { said: Said; words: string[] }) {
  const any = words.map((w) => w.replace(/[^\p{L}\p{N}]/gu, "\\$&")).join("|");
  const parts = excerpt(said.text, words[0]!).split(new RegExp(`(${any})`, "i"));
  return (
    <>
      <small>{said.from}, <Time at={said.at} focusable={false} /></small>
      <br />
      {parts.map((part, i) => (i % 2 ? <mark>{part}</mark> : part))}
    </>
  );
}

/** excerpt gives the part of a text in which a word stands. */
function excerpt(text: string, word: string): string {
  const at = Math.max(0, text.toLowerCase().indexOf(word) - before);
  const end = at + length;
  return `${at > 0 ? "…" : ""}${text.slice(at, end).replace(/\s+/g, " ")}${end < text.length ? "…" : ""}`;
}
