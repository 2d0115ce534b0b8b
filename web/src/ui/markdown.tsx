// Markdown without its reader: that is a file of its own, fetched while the page connects.
import { useEffect, useState } from "preact/hooks";
import { memo } from "./react.ts";

type Rich = typeof import("./rich.tsx").rich;

let rich: Rich | null = null;
let loading: Promise<void> | null = null;

/** loadRich fetches the reader of Markdown; a failure is tried again with the next text. */
export function loadRich(): Promise<void> {
  loading ??= import("./rich.tsx").then(
    (module) => void (rich = module.rich),
    () => void (loading = null),
  );
  return loading;
}

/** Anything that Markdown could mean something by, or a name or an address. Most texts have none of it. */
const marked = /[*_`~>#|\\[\]<&@]|:\/\/|www\.|^\s|^\d+[.)]|^[-+=]|\n/m;

/** A few emoji alone are shown large. */
const large = /^(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F|[\u200D\u20E3\s]){1,24}$/u;

/** Markdown shows a message's text. */
export const Markdown = memo(function Markdown({ text, me }: { text: string; me: string }) {
  const needed = marked.test(text);
  const [, loaded] = useState(0);
  useEffect(() => {
    if (needed && !rich) void loadRich().then(() => loaded((n) => n + 1));
  }, [needed]);
  return (
    <div class={`text ${large.test(text) ? "large" : ""}`} dir="auto">
      {needed && rich ? rich(text, me) : <p>{text}</p>}
    </div>
  );
});
