import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { compress } from "./build/compress.ts";
import { emoji } from "./build/emoji.ts";
import { licenses } from "./build/licenses.ts";
import { offline } from "./build/offline.ts";

/** TanStack Virtual and zustand are written against React's API; what they use of it is in this file. */
const react = fileURLToPath(new URL("./src/ui/react.ts", import.meta.url));

/** One file has all texts; those of panels are taken from it as a module of their own, fetched with the panels. */
const panelStrings = `${fileURLToPath(new URL("./src/strings.ts", import.meta.url))}?panels`;

/** bare imports chunks as browsers do: Vite's helper would look for styles of theirs, which have none. */
const bare: Plugin = {
  name: "confab-bare-imports",
  enforce: "pre",
  apply: "build",
  load: (id) => (id.endsWith("vite/preload-helper.js") ? "export const __vitePreload = (load) => load()" : null),
};

export default defineConfig({
  base: "./",
  cacheDir: fileURLToPath(new URL("../.tools/vite", import.meta.url)),
  resolve: { alias: { react, "react-dom": react, "panel-strings": panelStrings }, dedupe: ["preact"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [bare, emoji(), licenses(), offline(), compress()],
  server: { proxy: { "/confab.json": "http://127.0.0.1:8080", "/auth": "http://127.0.0.1:8080" } },
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox125", "safari17.5"], // the first with popover and light-dark()
    emptyOutDir: false, // compress() removes what is built no more, and keeps what is packed well
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: ["index.html", "src/sw.ts"],
      // Names without hashes: dist is committed, and served with ETags.
      output: {
        entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "app.js"),
        chunkFileNames: "[name].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["test/*.test.ts", "test/*.test.tsx"],
    setupFiles: ["test/setup.ts"],
    server: { deps: { inline: [/zustand/, /@tanstack/, /@testing-library/] } },
  },
});
