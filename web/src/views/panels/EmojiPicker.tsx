import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../../ui/dialog.tsx";
import { findEmoji, loadEmoji, type Emoji } from "../../ui/emoji.ts";
import { arrows } from "../../ui/roving.ts";
import { hide, notice } from "../../ui/state.ts";
import { p } from "panel-strings";
import { insert } from "../insert.ts";

const columns = 8;

/** EmojiPicker puts an emoji into the message: by group, or by a word. */
export function EmojiPicker() {
  const [groups, setGroups] = useState<Emoji[][]>([]);
  const [group, setGroup] = useState(0);
  const [query, setQuery] = useState("");
  useEffect(() => {
    loadEmoji().then(setGroups, () => notice(p.emoji.failed));
  }, []);
  const shown = query ? findEmoji(groups, query, 80) : (groups[group] ?? []);
  const choose = (e: Emoji | undefined): void => {
    if (!e) return;
    hide();
    requestAnimationFrame(() => insert(e.char));
  };
  return (
    <Dialog title={p.emoji.title}>
      <label for="emoji">{p.emoji.label}</label>
      <input
        id="emoji" type="text" autoFocus autoComplete="off" value={query}
        onInput={(e) => setQuery(e.currentTarget.value.trim())}
        onKeyDown={(e) => {
          if (e.key !== "Enter") return;
          e.preventDefault();
          choose(shown[0]);
        }}
      />
      {!query && (
        <div class="tabs" role="tablist" onKeyDown={(e) => arrows(e, "[role=tab]", p.emoji.groups.length)}>
          {p.emoji.groups.map((name, i) => (
            <button
              type="button" role="tab" title={name} aria-label={name} aria-selected={i === group}
              tabIndex={i === group ? 0 : -1} onClick={() => setGroup(i)} onFocus={() => setGroup(i)}
            >
              {groups[i]?.[0]?.char ?? ""}
            </button>
          ))}
        </div>
      )}
      <div class="emoji" role="group" aria-label={query || p.emoji.groups[group]} onKeyDown={(e) => arrows(e, "button", columns)}>
        {shown.map((e, i) => (
          <button type="button" key={e.char} title={e.name} aria-label={e.name} tabIndex={i === 0 ? 0 : -1} onClick={() => choose(e)}>
            {e.char}
          </button>
        ))}
      </div>
      {shown.length === 0 && <p class="hint" role="status">{groups.length ? p.dialog.nothing : p.dialog.loading}</p>}
    </Dialog>
  );
}
