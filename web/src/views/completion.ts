import { same } from "../core/mentions.ts";

/** Suggestion is something to put in place of what was begun. */
export interface Suggestion {
  label: string;
  detail: string;
  insert: string;
}

/** Begun is a word before the cursor that can be completed. */
export interface Begun {
  kind: "@" | ":";
  word: string;
  from: number;
}

const most = 8;

/** begunAt finds what is being written before the cursor: @name, or a colon and two letters. */
export function begunAt(text: string, cursor: number): Begun | null {
  const before = text.slice(0, cursor);
  const at = /(?:^|[\s(])@([\p{L}\p{N}\p{M}_.-]{0,64})$/u.exec(before);
  if (at) return { kind: "@", word: at[1]!, from: cursor - at[1]!.length - 1 };
  const colon = /(?:^|\s):([a-z0-9_+-]{2,40})$/.exec(before);
  if (colon) return { kind: ":", word: colon[1]!, from: cursor - colon[1]!.length - 1 };
  return null;
}

/** people gives the users that a word could mean: those who are here before those who are not. */
export function people(word: string, names: readonly string[], online: ReadonlySet<string>, me: string): Suggestion[] {
  const q = word.toLowerCase();
  if (names.filter((n) => n.toLowerCase().startsWith(q)).length === 1 && names.some((n) => same(n, word))) return []; // it is complete
  const fits = names.filter((n) => !same(n, me) && n.toLowerCase().includes(q));
  const rank = (n: string): number => (n.toLowerCase().startsWith(q) ? 0 : 2) + (online.has(n) ? 0 : 1);
  return fits
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
    .slice(0, most)
    .map((n) => ({ label: n, detail: online.has(n) ? "online" : "offline", insert: `@${n} ` }));
}

/** emoji gives those that a word could mean. */
export async function emoji(word: string): Promise<Suggestion[]> {
  const { findEmoji, loadEmoji } = await import("../ui/emoji.ts");
  const found = findEmoji(await loadEmoji(), word, most);
  return found.map((e) => ({ label: `${e.char} :${e.codes[0] ?? e.name}:`, detail: e.name, insert: `${e.char} ` }));
}
