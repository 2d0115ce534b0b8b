import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, fromEnd, message, openRoom, scroll, Server, texts } from "./fixture.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start(["--memory", "--rate", "20000", "--burst", "40000"])));
afterAll(() => server.stop());

const total = 10_000;

/** heap gives how much a page keeps, in MB. */
async function heap(page: import("playwright-core").Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = (await session.send("Runtime.getHeapUsage")) as { usedSize: number };
  await session.detach();
  return usedSize / 1e6;
}

describe("a long room", () => {
  test("10,000 messages scroll with at most 200 rows in the document and a bounded heap", async () => {
    const alice = await server.person("alice");
    await openRoom(alice, "long");
    const before = await heap(alice);
    await server.speak("bob", "long", Array.from({ length: total }, (_, i) => `message number ${i + 1}`));
    await message(alice, `message number ${total}`).waitFor({ timeout: 50_000 });
    await eventually(() => fromEnd(alice)).toBeLessThan(5);
    let most = 0;
    const rows = async (): Promise<void> => {
      most = Math.max(most, await alice.locator(".rows > li").count());
    };
    await rows();
    for (let i = 0; i < 10; i++) {
      await scroll(alice, -3_000);
      await rows();
    }
    await alice.locator(".scroller").evaluate((s) => (s.scrollTop = 0));
    await message(alice, "message number 1").waitFor();
    await rows();
    await alice.getByRole("button", { name: /Jump to latest/ }).click();
    await message(alice, `message number ${total}`).waitFor();
    await rows();
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThanOrEqual(200);
    // A message of 20 letters takes less than 2 KB with all that belongs to it.
    expect((await heap(alice)) - before).toBeLessThan(total * 0.002);
  }, 120_000);

  test("older messages that come during a fast scroll keep the anchor within a row", async () => {
    await server.speak("bob", "fast", Array.from({ length: 600 }, (_, i) => `line ${i + 1}`));
    const carol = await server.person("carol");
    await openRoom(carol, "fast");
    await message(carol, "line 600").waitFor();
    await eventually(() => fromEnd(carol)).toBeLessThan(5);
    await carol.evaluate(() => {
      // Each frame: by how much a row that stays in the document moved, against what was scrolled.
      const jumps: number[] = [];
      Object.assign(window, { jumps });
      let last: { key: string; top: number } | null = null;
      const scroller = document.querySelector(".scroller")!;
      const middle = scroller.getBoundingClientRect().top + scroller.clientHeight / 2;
      const look = (): void => {
        const rows = [...document.querySelectorAll<HTMLElement>(".message")];
        const same = rows.find((r) => r.innerText === last?.key);
        if (same && last) jumps.push(same.getBoundingClientRect().top - last.top);
        const next = rows.find((r) => r.getBoundingClientRect().top > middle);
        last = next ? { key: next.innerText, top: next.getBoundingClientRect().top } : null;
        requestAnimationFrame(look);
      };
      look();
    });
    const step = 240;
    for (let i = 0; i < 120 && !(await texts(carol)).includes("line 1"); i++) await scroll(carol, -step);
    await message(carol, "line 1").waitFor();
    const jumps = await carol.evaluate(() => (window as unknown as { jumps: number[] }).jumps);
    // Scrolling up moves rows down; a jump the other way is one that nobody asked for.
    expect(jumps.length).toBeGreaterThan(20);
    expect(Math.min(...jumps)).toBeGreaterThan(-60);
  });
});
