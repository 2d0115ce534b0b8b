import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tidy } from "../../src/core/text.ts";
import { complained, eventually, message, openRoom, say, Server } from "./fixture.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start(["--memory", "--rate", "20000", "--burst", "40000"])));
afterAll(() => server.stop());

/** files lists all text files below a folder. */
function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : /\.(txt|md)$/.test(name) ? [path] : [];
  });
}

/** hostile gives every text that others have broken pages with, such as can be sent. */
function hostile(): string[] {
  const lines = files(join(process.env.CONFAB_XSS!, "Intruder")).flatMap((f) => readFileSync(f, "utf8").split("\n"));
  const naughty = JSON.parse(readFileSync(join(process.env.CONFAB_NAUGHTY!, "blns.json"), "utf8")) as string[];
  const all = [...lines, ...naughty].map(tidy).filter((s) => s.trim() !== "" && s.length < 5_000);
  return [...new Set(all)];
}

describe("texts that have broken other pages", () => {
  test("as messages: nothing fires, no element is added, and no policy is broken", async () => {
    const all = hostile();
    expect(all.length).toBeGreaterThan(500);
    const alice = await server.person("alice", { viewport: { width: 1100, height: 6_000 } });
    await openRoom(alice, "hostile");
    await alice.evaluate(() => {
      const fired: string[] = [];
      const allowed = new Set("ARTICLE DIV SPAN TIME BUTTON BDI P STRONG EM S CODE PRE BR A UL OL LI BLOCKQUOTE HR SVG PATH BDO MAIN SECTION H2".split(" "));
      Object.assign(window, { fired, alert: () => fired.push("alert"), prompt: () => fired.push("prompt"), confirm: () => fired.push("confirm") });
      document.addEventListener("securitypolicyviolation", (e) => fired.push(`${e.violatedDirective}: ${e.sample}`));
      new MutationObserver((changes) => {
        for (const change of changes)
          for (const node of change.addedNodes)
            if (node instanceof Element)
              for (const e of [node, ...node.querySelectorAll("*")]) {
                if (!allowed.has(e.tagName.toUpperCase())) fired.push(`element ${e.tagName}`);
                const handler = [...e.attributes].find((a) => a.name.startsWith("on") || a.name === "srcdoc");
                if (handler) fired.push(`attribute ${handler.name}`);
                const href = e.getAttribute("href");
                if (e.tagName === "A" && href && !/^(https?:|mailto:|#\/)/.test(href)) fired.push(`href ${href}`);
              }
      }).observe(document.querySelector(".scroller")!, { childList: true, subtree: true });
    });
    // In portions, so that each text is in sight once.
    for (let i = 0; i < all.length; i += 100) {
      const portion = all.slice(i, i + 100);
      await server.speak("mallory", "hostile", [...portion, `end ${i}`]);
      await message(alice, `end ${i}`).waitFor();
    }
    expect(await alice.evaluate(() => (window as unknown as { fired: string[] }).fired)).toEqual([]);
    expect(complained(alice)).toEqual([]);
    expect(alice.url()).toBe(`${server.url}#/hostile`);
    await say(alice, "still alive");
    await message(alice, "still alive").waitFor();
    await eventually(() => alice.locator(".pending").count()).toBe(0);
  }, 280_000);

  test("as names: the server or the page refuses them with a sentence", async () => {
    const page = await server.page();
    const fired: string[] = [];
    page.on("dialog", (d) => fired.push(d.message()));
    const field = page.getByLabel("Your name");
    for (const name of hostile().filter((s) => !/^[\p{L}\p{N}]/u.test(s)).slice(0, 60)) {
      await field.fill(name.slice(0, 64));
      await page.keyboard.press("Enter");
      expect(await page.getByRole("alert").innerText()).not.toBe("");
    }
    expect(fired).toEqual([]);
    expect(complained(page)).toEqual([]);
  });
});
