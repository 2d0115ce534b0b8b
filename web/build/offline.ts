import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** sum is a file's sum as the integrity of a request has it. */
function sum(body: string | Uint8Array): string {
  return `sha256-${createHash("sha256").update(body).digest("base64")}`;
}

/**
 * offline names the build in its document, and tells the service worker the build's name and files.
 * The name is a sum of all files, so that it changes when one does.
 */
export function offline(): Plugin {
  let assets = "public";
  return {
    name: "confab-offline",
    apply: "build",
    configResolved(config) {
      assets = config.publicDir;
    },
    generateBundle: {
      order: "post", // after all who add files
      handler(_, bundle) {
        const files: Record<string, string> = {};
        for (const name of readdirSync(assets)) files[name] = sum(readFileSync(join(assets, name)));
        for (const [name, file] of Object.entries(bundle))
          files[name] = sum(file.type === "chunk" ? file.code : file.source);
        const page = bundle["index.html"];
        const worker = bundle["sw.js"];
        if (page?.type !== "asset" || worker?.type !== "chunk") throw new Error("no document or no worker");
        const names = Object.keys(files).sort();
        const all = names.map((name) => `${name} ${files[name]}\n`).join("");
        const build = createHash("sha256").update(all).digest("hex").slice(0, 16);
        page.source = String(page.source).replace("<title>", `<meta name="build" content="${build}">\n<title>`);
        // The document has the build's name instead of a sum: `confab page` writes a policy into it. The
        // license texts are for who asks, and the worker itself is the browser's to keep.
        const kept = names.filter((name) => !["index.html", "sw.js", "licenses.txt"].includes(name));
        const list = JSON.stringify(Object.fromEntries(kept.map((name) => [name, files[name]])));
        worker.code = worker.code.replace(/\bFILES\b/g, list).replace(/\bBUILD\b/g, JSON.stringify(build));
      },
    },
  };
}
