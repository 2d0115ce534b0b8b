import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** notAlways is what needs what may not be here, and the pictures of the README. */
const notAlways = ["hostile", "insecure", "stage", "shots"];

// The tests in a real browser against the real program; web/page_test.go says where both are.
export default defineConfig({
  cacheDir: fileURLToPath(new URL("../.tools/vite", import.meta.url)),
  test: {
    environment: "node",
    include: process.env.CONFAB_ONLY ? [`test/browser/${process.env.CONFAB_ONLY}.test.ts`] : ["test/browser/*.test.ts"],
    exclude: process.env.CONFAB_ONLY ? [] : notAlways.map((name) => `test/browser/${name}.test.ts`),
    testTimeout: 180_000, // what has a limit is each thing that a test waits for: patience in fixture.ts
    hookTimeout: 60_000,
    fileParallelism: false,
    isolate: false, // one browser for all files
  },
});
