// Texts that have broken other pages, and a guard in the page that notices what they do.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { tidy } from "../../src/core/text.ts";
import { complained } from "./fixture.ts";

/** files lists all text files below a folder. */
function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : /\.(txt|md)$/.test(name) ? [path] : [];
  });
}

/** hostile gives every text of two collections, such as can be sent. */
export function hostile(): string[] {
  const lines = files(join(process.env.CONFAB_XSS!, "Intruder")).flatMap((f) => readFileSync(f, "utf8").split("\n"));
  const naughty = JSON.parse(readFileSync(join(process.env.CONFAB_NAUGHTY!, "blns.json"), "utf8")) as string[];
  const all = [...lines, ...naughty].map(tidy).filter((s) => s.trim() !== "" && s.length < 5_000);
  return [...new Set(all)];
}

/** What the page is made of. */
const tags = "ARTICLE ASIDE DIV SPAN TIME BUTTON BDI P STRONG EM S CODE PRE BR A UL OL LI BLOCKQUOTE HR SVG PATH "
  + "BDO TABLE THEAD TBODY TR TH TD MAIN SECTION NAV HEADER FOOTER H1 H2 H3 FORM LABEL INPUT TEXTAREA DIALOG SMALL MARK DL DT DD KBD";

/** guard notes what none of the texts may do, from the page's first moment on. */
export function guard(page: Page): Promise<unknown> {
  return page.addInitScript((list) => {
    const fired: string[] = [];
    const drawn = new Set<string>(); // rows of a timeline
    const allowed = new Set(list.split(" "));
    const note = (what: string) => (): void => void fired.push(what);
    Object.assign(window, { fired, drawn, alert: note("alert"), prompt: note("prompt"), confirm: note("confirm") });
    document.addEventListener("securitypolicyviolation", (e) => fired.push(`${e.violatedDirective}: ${e.sample}`));
    const look = (e: Element): void => {
      if (e.matches(".rows > li")) drawn.add(`${location.hash} ${(e as HTMLElement).dataset.index}`);
      if (!allowed.has(e.tagName.toUpperCase())) fired.push(`element ${e.tagName}`);
      const handler = [...e.attributes].find((a) => a.name.startsWith("on") || a.name === "srcdoc");
      if (handler) fired.push(`attribute ${handler.name}`);
      const href = e.getAttribute("href");
      if (e.tagName === "A" && href && !/^(https?:|mailto:|#\/)/.test(href)) fired.push(`href ${href}`);
    };
    addEventListener("DOMContentLoaded", () =>
      new MutationObserver((changes) => {
        for (const change of changes)
          for (const node of change.addedNodes)
            if (node instanceof Element) for (const e of [node, ...node.querySelectorAll("*")]) look(e);
      }).observe(document.body, { childList: true, subtree: true }));
  }, tags);
}

/** drawn waits until a page has drawn so many rows of its timelines, and scrolls for those out of sight. */
export function drawn(page: Page, rows: number): Promise<void> {
  return page.evaluate(async (wanted) => {
    const all = Reflect.get(window, "drawn") as Set<string>;
    for (let turn = 1; all.size < wanted; turn++) {
      await new Promise((next) => requestAnimationFrame(next));
      const scroller = document.querySelector(".scroller");
      if (scroller && turn % 20 === 0) scroller.scrollTop -= 4_000;
      if (scroller && turn % 400 === 0) scroller.scrollTop = scroller.scrollHeight;
    }
  }, rows);
}

/** harm lists what the guard and the browser have noticed. */
export async function harm(page: Page): Promise<string[]> {
  return [...(await page.evaluate(() => Reflect.get(window, "fired") as string[])), ...complained(page)];
}
