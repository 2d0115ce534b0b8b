import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, message, openRoom, Server } from "./fixture.ts";
import { fromEnd, wheel } from "./signs.ts";

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
      await wheel(alice, -3_000);
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
});
