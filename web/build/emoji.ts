import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

interface Emoji {
  hexcode: string;
  label: string;
  unicode: string;
  group?: number;
  order?: number;
  tags?: string[];
}

function read<T>(path: string): T {
  const url = new URL(`../node_modules/emojibase-data/en/${path}`, import.meta.url);
  return JSON.parse(readFileSync(fileURLToPath(url), "utf8")) as T;
}

/** The groups of the picker; emojibase's group 2, components, is for building others. */
const groups = [0, 1, 3, 4, 5, 6, 7, 8, 9];

/** data gives the emoji as the page has them: per group, each with its name and shortcodes. */
function data(): string {
  const short = read<Record<string, string | string[]>>("shortcodes/github.json");
  const all = read<Emoji[]>("compact.json").sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
  const rows = groups.map((group) =>
    all
      .filter((e) => e.group === group)
      .map((e) => [e.unicode, e.label, [short[e.hexcode] ?? []].flat(), (e.tags ?? []).slice(0, 6).join(" ")]),
  );
  return JSON.stringify(rows);
}

/** emoji makes emoji.json of emojibase's data, so that the binary serves it. */
export function emoji(): Plugin {
  return {
    name: "confab-emoji",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "emoji.json", source: data() });
    },
    configureServer(server) {
      server.middlewares.use("/src/ui/emoji.json", (_, response) => {
        response.setHeader("Content-Type", "application/json");
        response.end(data());
      });
    },
  };
}
