/** A name's characters (docs/protocol.md, Names); a dot or dash at the end belongs to the sentence. */
const mention = /(?<![\p{L}\p{N}\p{M}_.@-])@([\p{L}\p{N}][\p{L}\p{N}\p{M}_.-]*)/gu;

/** mentionsIn lists where a text names users: the name, and where its @ stands. */
export function mentionsIn(text: string): { name: string; at: number; end: number }[] {
  return [...text.matchAll(mention)].map((m) => {
    const name = m[1]!.replace(/[.\-_]+$/u, "");
    return { name, at: m.index, end: m.index + 1 + name.length };
  });
}

/** names tells whether a text mentions a user, whatever the case. */
export function names(text: string, user: string): boolean {
  if (!text.includes("@") || !user) return false;
  return mentionsIn(text).some((m) => same(m.name, user));
}

/** same tells whether two names are one user: they differ in case at most. */
export function same(a: string, b: string): boolean {
  return a === b || a.normalize("NFC").toLowerCase() === b.normalize("NFC").toLowerCase();
}
