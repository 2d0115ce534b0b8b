// Emoji by group, from the server itself, fetched when first wanted.

/** Emoji has its character, name, shortcodes and words to be found by. */
export interface Emoji {
  char: string;
  name: string;
  codes: string[];
  words: string;
}

type Raw = [char: string, name: string, codes: string[], words: string];

const beside = import.meta.url; // where the files of this very build are (sw.ts)
let loading: Promise<Emoji[][]> | null = null;

/** loadEmoji gives all emoji in their groups. */
export function loadEmoji(): Promise<Emoji[][]> {
  loading ??= fetch(new URL("./emoji.json", beside))
    .then((r) => r.json() as Promise<Raw[][]>)
    .then((groups) => groups.map((g) => g.map(([char, name, codes, words]) => ({ char, name, codes, words }))))
    .catch((error: unknown) => {
      loading = null;
      throw error;
    });
  return loading;
}

/** findEmoji gives those that a word means, the best first: by shortcode, by its beginning, by name. */
export function findEmoji(groups: Emoji[][], word: string, most: number): Emoji[] {
  const q = word.toLowerCase();
  const ranks: Emoji[][] = [[], [], [], []];
  for (const e of groups.flat()) {
    if (e.codes.includes(q)) ranks[0]!.push(e);
    else if (e.codes.some((c) => c.startsWith(q))) ranks[1]!.push(e);
    else if (e.codes.some((c) => c.includes(q)) || e.name.includes(q)) ranks[2]!.push(e);
    else if (e.words.includes(q)) ranks[3]!.push(e);
  }
  return ranks.flat().slice(0, most);
}
