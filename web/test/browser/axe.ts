import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");

/** faults lists what axe finds wrong with a page, by WCAG 2.2 AA and its best practices, by day and by night. */
export async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe); // over the debugger's wire: the page's policy would refuse it as a script
  const found: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const list = await page.evaluate(async () => {
      const run = (window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe;
      return (await run.run()).violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`);
    });
    found.push(...list.map((f) => `${colorScheme}: ${f}`));
  }
  return found;
}
