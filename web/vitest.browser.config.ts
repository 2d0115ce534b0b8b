import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// The tests in a real browser against the real program; web/page_test.go says where both are.
export default defineConfig({
  cacheDir: fileURLToPath(new URL("../.tools/vite", import.meta.url)),
  test: {
    environment: "node",
    include: ["test/browser/*.test.ts"],
    exclude: process.env.CONFAB_XSS ? [] : ["test/browser/hostile.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    isolate: false, // one browser for all files
  },
});
