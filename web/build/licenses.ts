import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

/** package gives the folder of the npm package that a module belongs to, "" for the page's own. */
function packageOf(id: string): string {
  const at = id.lastIndexOf("/node_modules/");
  if (at < 0) return "";
  const parts = id.slice(at + "/node_modules/".length).split("/");
  const name = parts[0]!.startsWith("@") ? `${parts[0]}/${parts[1]}` : parts[0]!;
  return `${id.slice(0, at)}/node_modules/${name}`;
}

/** text gives a package's license as its authors wrote it. */
function text(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = ["LICENSE", "LICENSE.md", "license", "LICENSE.txt"]
    .map((name) => join(folder, name))
    .find(existsSync);
  const words = file ? readFileSync(file, "utf8").trim() : `License: ${about.license}`;
  return `${about.name} ${about.version}\n\n${words}\n`;
}

/** licenses writes licenses.txt: whose code the page contains, and on which terms. */
export function licenses(): Plugin {
  return {
    name: "confab-licenses",
    apply: "build",
    generateBundle(_, bundle) {
      const folders = new Set<string>();
      for (const file of Object.values(bundle)) {
        if (file.type !== "chunk") continue;
        for (const id of file.moduleIds) folders.add(packageOf(id.split("?")[0]!));
      }
      folders.delete("");
      for (const folder of [...folders]) {
        const emoji = join(dirname(folder), "emojibase-data");
        if (existsSync(emoji)) folders.add(emoji);
      }
      const rule = `\n${"-".repeat(72)}\n\n`;
      const names = [...folders].map(text).sort();
      this.emitFile({ type: "asset", fileName: "licenses.txt", source: names.join(rule) });
    },
  };
}
