// What shows that a page has done what it does later: a frame later, when it is told, or when its time comes.
import type { Locator, Page } from "playwright-core";
import { eventually, marker, message, say } from "./fixture.ts";

/** post writes a message and waits until the server has it. */
export async function post(page: Page, text: string): Promise<void> {
  await say(page, text);
  await message(page, text).waitFor();
  await sent(page);
}

/** sent waits until nothing in sight is on its way any more. */
export async function sent(page: Page): Promise<void> {
  await eventually(() => page.locator(".pending").count()).toBe(0);
}

/** readTo waits until a page has told the server that a message of a room is read, and all before it. */
export async function readTo(page: Page, room: string, seq: number): Promise<void> {
  await eventually(() => marker(page, room)).toBeGreaterThanOrEqual(seq);
}

/** closed waits until no dialog lies over the page. */
export async function closed(page: Page): Promise<void> {
  await eventually(() => page.getByRole("dialog").count()).toBe(0);
}

/** passing sees what comes and goes by itself: it looks from before it can come. */
export async function passing(what: Locator, act: () => Promise<unknown>): Promise<void> {
  await Promise.all([what.waitFor(), act()]);
}

/** reconnect has a page try to connect, without waiting for its turn, until it is. */
export async function reconnect(page: Page): Promise<void> {
  await eventually(async () => {
    if (await connected(page)) return true;
    await page.evaluate(() => dispatchEvent(new Event("online")));
    return false;
  }).toBe(true);
}

/** connected tells whether a page says that it is connected. */
export async function connected(page: Page): Promise<boolean> {
  return (await page.locator(".me .dot.on").count()) === 1;
}

/** stored lists the texts that a browser keeps of an open chat: what waits to be sent, then drafts. */
export function stored(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const answer = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const db = await answer(indexedDB.open("confab"));
    const texts = async (store: string): Promise<string[]> =>
      (await answer(db.transaction(store).objectStore(store).getAll() as IDBRequest<{ text: string }[]>)).map((row) => row.text);
    const all = [...(await texts("outbox")), ...(await texts("drafts"))];
    db.close();
    return all;
  });
}

/** holdTimers keeps a page's timers of some lengths in ms back, until what it gives is called. */
export async function holdTimers(page: Page, ...lengths: number[]): Promise<() => Promise<void>> {
  await page.evaluate((which) => {
    const held = new Map<number, () => void>();
    const { setTimeout: set, clearTimeout: clear } = window;
    let last = 1e9; // no timer of the browser's has such a number
    const hold = (run: () => void, ms?: number): number => {
      if (!which.includes(ms ?? 0)) return set(run, ms) as unknown as number;
      held.set(++last, run);
      return last;
    };
    const drop = (timer?: number): void => void (held.delete(timer!) || clear(timer));
    const release = (): void => {
      for (const [timer, run] of [...held]) if (held.delete(timer)) run();
    };
    Object.assign(window, { setTimeout: hold, clearTimeout: drop, releaseTimers: release });
  }, lengths);
  return () => page.evaluate(() => (Reflect.get(window, "releaseTimers") as () => void)());
}

/** fromEnd tells how far the timeline is from its end, in pixels. */
export function fromEnd(page: Page): Promise<number> {
  return page.locator(".scroller").evaluate((s) => s.scrollHeight - s.scrollTop - s.clientHeight);
}

/** rest waits until the timeline has stood still for ten frames. */
export function rest(page: Page): Promise<void> {
  return page.locator(".scroller").evaluate((s) => new Promise<void>((resolve) => {
    let [last, still] = ["", 0];
    const look = (): void => {
      const now = [s.scrollTop, s.scrollHeight, s.clientHeight].join();
      still = now === last ? still + 1 : 0;
      last = now;
      if (still === 10) resolve();
      else requestAnimationFrame(look);
    };
    look();
  }));
}

/** scroll turns the wheel over a timeline that rests, and waits until it rests again: the wheel takes its time. */
export async function scroll(page: Page, pixels: number): Promise<void> {
  await rest(page);
  const top = (): Promise<number> => page.locator(".scroller").evaluate((s) => s.scrollTop);
  const before = await top();
  await wheel(page, pixels);
  await eventually(top).not.toBe(before);
  await rest(page);
}

/** wheel turns the wheel over the timeline. */
export async function wheel(page: Page, pixels: number): Promise<void> {
  const box = (await page.locator(".scroller").boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, pixels);
}
