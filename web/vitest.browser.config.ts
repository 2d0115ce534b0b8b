import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// The tests in a real browser against the real program; web/page_test.go says where both are.
export default defineConfig({
  cacheDir: fileURLToPath(new URL("../.tools/vite", import.meta.url)),
  test: {
    environment: "node",
    include: process.env.CONFAB_ONLY ? [`test/browser/${process.env.CONFAB_ONLY}.test.ts`] : ["test/browser/*.test.ts"],
    exclude: process.env.CONFAB_ONLY ? [] : ["test/browser/hostile.test.ts", "test/browser/insecure.test.ts", "test/browser/stage.test.ts"], // they need what may not be here
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    isolate: false, // one browser for all files
  },
});
