/** The composer that is open, for what is chosen elsewhere: a name, an emoji. */
let composer: ((text: string) => void) | null = null;

/** takeInserts makes a composer the one that texts go to; null when it goes. */
export function takeInserts(into: ((text: string) => void) | null): void {
  composer = into;
}

/** insert puts text where the cursor of the open composer is. */
export function insert(text: string): void {
  composer?.(text);
}
