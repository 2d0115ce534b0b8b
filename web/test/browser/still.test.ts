// What one reads stays where it is. Every frame that is drawn is looked at: a row may move only by what
// was scrolled. Scrolling is by script, since of a wheel nobody knows how far it got in a frame.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, inside, message, openRoom, Server } from "./fixture.ts";
import { fromEnd, rest } from "./signs.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start(["--memory", "--rate", "20000", "--burst", "40000"])));
afterAll(() => server.stop());

/** wordy gives n texts of many heights: what the list thinks of them before it has measured is often wrong. */
function wordy(n: number): string[] {
  const shapes = ["", "\nwith\nmore lines", ` ${"words that go on and on ".repeat(14)}`, "\n\n```\ncode\ncode\n```\n- a\n- b", " **bold**"];
  return Array.from({ length: n }, (_, i) => `line ${i + 1}${shapes[(i * 7) % 5]}`);
}

/** reader opens a room; what it asks of the history is answered when release is called. */
async function reader(name: string, room: string): Promise<Page> {
  const page = await server.person(name);
  await page.addInitScript(() => {
    const held: (() => void)[] = [];
    const state = { from: Infinity, asked: "", held, release: () => held.splice(0).forEach((run) => run()) };
    Object.assign(window, { answers: state });
    const Real = WebSocket;
    window.WebSocket = class extends Real {
      override set onmessage(take: ((e: MessageEvent) => void) | null) {
        super.onmessage = take && ((e) => {
          const event = JSON.parse(e.data as string) as { event: string; messages?: { seq: number }[] };
          if (event.event === "history" && event.messages![0]!.seq >= state.from) held.push(() => take.call(this, e));
          else take.call(this, e);
        });
      }
      override send(frame: string): void {
        if (held.length === 0 && frame.includes('"action":"history"')) state.asked = frame;
        super.send(frame);
      }
    };
  });
  await page.reload();
  await inside(page);
  await openRoom(page, room);
  await message(page, "the last one").waitFor();
  await eventually(() => fromEnd(page)).toBeLessThan(5);
  await rest(page);
  return page;
}

/** hold keeps answers of messages from a number on back until release; held tells how many there are. */
const hold = (page: Page, from = 1): Promise<void> => page.evaluate((n) => void (Reflect.get(window, "answers").from = n), from);
const held = (page: Page): Promise<number> => page.evaluate(() => Reflect.get(window, "answers").held.length as number);

interface Drawn {
  frames: number;
  jumps: string[]; // rows in sight that moved otherwise than was scrolled
  seen: string; // the first row in sight at the end
}

/** follow looks at each frame and scrolls up by some pixels in each, until there is enough. */
function follow(page: Page, step: number, enough: "released" | "start"): Promise<Drawn> {
  return page.evaluate(({ step, enough }) => new Promise<Drawn>((resolve) => {
    const scroller = document.querySelector<HTMLElement>(".scroller")!;
    const answers = Reflect.get(window, "answers") as { from: number; release(): void };
    const box = scroller.getBoundingClientRect();
    const look = (): Map<string, number> => {
      const rows = [...document.querySelectorAll<HTMLElement>(".message")];
      return new Map(rows.map((r) => [r.querySelector(".text")!.textContent!.slice(0, 9), r.querySelector(".text")!.getBoundingClientRect().top]));
    };
    const inSight = (y: number | undefined): boolean => y !== undefined && y > box.top && y < box.bottom;
    const begun = document.querySelector<HTMLElement>(".rows > li:last-child")!.dataset.index;
    let last = look();
    let asked = 0;
    let after = 0;
    const drawn: Drawn = { frames: 0, jumps: [], seen: "" };
    const channel = new MessageChannel(); // its message comes after the frame is laid out
    channel.port1.onmessage = () => {
      const now = look();
      drawn.frames++;
      for (const [text, y] of last) {
        const by = (now.get(text) ?? Infinity) - y;
        if (inSight(y) && Math.abs(by - asked) > 1) drawn.jumps.push(`frame ${drawn.frames}: ${text} by ${by}, scrolled ${asked}`);
      }
      last = now;
      const grown = document.querySelector<HTMLElement>(".rows > li:last-child")!.dataset.index !== begun;
      if (enough === "start" ? document.querySelector(".beginning") && scroller.scrollTop === 0 : grown && ++after > 20) {
        drawn.seen = [...now].filter(([, y]) => inSight(y)).sort((a, b) => a[1] - b[1])[0]![0];
        return resolve(drawn);
      }
      requestAnimationFrame(frame);
    };
    const frame = (): void => {
      const before = scroller.scrollTop;
      scroller.scrollTop -= step;
      asked = before - scroller.scrollTop;
      channel.port2.postMessage(0);
    };
    requestAnimationFrame(frame);
    if (enough === "released") setTimeout(() => {
      answers.from = Infinity;
      answers.release();
    }, 50);
  }), { step, enough });
}

describe("a still view", () => {
  test("17 what one reads stays where it is when older messages load above", async () => {
    await server.speak("carol", "old", [...wordy(150), "the last one"]);
    const frank = await reader("frank", "old");
    for (const top of [0, 30, 300]) { // at the very end of what is loaded, and near it
      await hold(frank);
      await frank.locator(".scroller").evaluate((s, y) => (s.scrollTop = y), top);
      await eventually(() => held(frank)).toBe(1);
      expect((await follow(frank, 0, "released")).jumps, `from ${top}`).toEqual([]);
      if (await frank.locator(".beginning").count()) break;
    }
  });

  test("older messages that come during a fast scroll keep the anchor, on a slow machine too", async () => {
    await server.speak("carol", "fast", [...wordy(300), "the last one"]);
    const gina = await reader("gina", "fast");
    const debug = await gina.context().newCDPSession(gina);
    await debug.send("Emulation.setCPUThrottlingRate", { rate: 3 });
    const drawn = await follow(gina, 160, "start");
    expect(drawn.frames).toBeGreaterThan(50);
    expect(drawn.jumps).toEqual([]);
    await message(gina, "line 1").waitFor();
  }, 120_000);

  test.each(["above", "below"])("what one reads beside a gap stays where it is when the gap is filled from %s", async (side) => {
    const room = `gap-${side}`;
    await server.speak("carol", room, [...wordy(400), "the last one"]);
    const hugo = await reader(`hugo-${side}`, room);
    await hugo.goto(`${server.url}#/${room}/100`);
    await hugo.locator(".marked").waitFor();
    if (side === "below") await hugo.getByRole("button", { name: /Jump to latest/ }).click();
    await eventually(() => message(hugo, side === "below" ? "the last one" : "line 100").count()).toBe(1);
    await hold(hugo, 101); // older ones may come
    await eventually(async () => {
      const near = await hugo.locator(".gap").count();
      if (!near) await hugo.locator(".scroller").evaluate((s, by) => (s.scrollTop += by), side === "below" ? -100 : 100);
      return near > 0 && (await held(hugo)) > 0;
    }).toBe(true);
    await hugo.locator(".scroller").evaluate((s) => { // the gap is the first thing in sight
      s.scrollTop += s.querySelector(".gap")!.getBoundingClientRect().top - s.getBoundingClientRect().top + 5;
    });
    const asked = JSON.parse(await hugo.evaluate(() => Reflect.get(window, "answers").asked as string)) as object;
    expect(asked).toHaveProperty(side === "below" ? "before" : "after");
    expect((await follow(hugo, 0, "released")).jumps).toEqual([]);
  });
});
