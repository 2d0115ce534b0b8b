import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { composer, eventually, marker, message, openRoom, Server, texts } from "./fixture.ts";
import { fromEnd, passing, post, readTo, rest, scroll } from "./signs.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start()));
afterAll(() => server.stop());

/** many gives n texts. */
function many(n: number, word = "message"): string[] {
  return Array.from({ length: n }, (_, i) => `${word} ${i + 1}`);
}

/** top gives where a message stands in the window. */
function top(page: Page, text: string): Promise<number> {
  return message(page, text).evaluate((e) => e.getBoundingClientRect().top);
}

/** away makes the page believe that its person looks elsewhere, or is back. */
function away(page: Page, gone: boolean): Promise<void> {
  return page.evaluate((isGone) => {
    document.hasFocus = () => !isGone;
    dispatchEvent(new Event(isGone ? "blur" : "focus"));
  }, gone);
}

/** readAll waits until the page stands at the end of a room, and the server knows that all of it is read. */
async function readAll(page: Page, room: string, last: number): Promise<void> {
  await eventually(() => fromEnd(page)).toBeLessThan(5);
  await readTo(page, room, last);
}

describe("reading", () => {
  test("11 days are separated, 12 an author's messages grouped, 13 times relative, exact on hover and focus", async () => {
    const alice = await server.person("alice");
    await openRoom(alice, "days");
    for (const text of ["first", "second"]) await post(alice, text);
    await eventually(() => alice.getByRole("separator").allInnerTexts()).toEqual(["Today"]);
    expect(await message(alice, "first").getAttribute("class")).not.toContain("grouped");
    expect(await message(alice, "second").getAttribute("class")).toContain("grouped");
    expect(await message(alice, "second").locator(".author").count()).toBe(0);
    const time = message(alice, "first").locator("time");
    expect(await time.innerText()).toBe("now");
    await message(alice, "first").focus();
    await time.focus();
    const shown = await time.evaluate((e) => getComputedStyle(e, "::after").content);
    expect(shown).toContain(String(new Date().getFullYear()));
    expect(await time.getAttribute("aria-label")).toMatch(/\d{2}:\d{2}:\d{2}/);
  });

  test("14 a divider stands before the first unread message, and stays while one reads", async () => {
    const bob = await server.person("bob");
    await openRoom(bob, "divided");
    await post(bob, "read");
    await away(bob, true);
    await server.speak("carol", "divided", ["new one", "new two"]);
    await message(bob, "new two").waitFor();
    await away(bob, false);
    await bob.getByRole("separator").getByText("New").waitFor();
    await server.speak("carol", "divided", ["new three"]);
    await message(bob, "new three").waitFor();
    const rows = await bob.locator(".rows").innerText();
    expect(rows.indexOf("New")).toBeGreaterThan(rows.indexOf("read"));
    expect(rows.indexOf("New")).toBeLessThan(rows.indexOf("new one"));
    expect(await bob.getByRole("separator").getByText("New").count()).toBe(1);
    await readTo(bob, "divided", 4);
    await bob.getByRole("link", { name: "lobby" }).click();
    await bob.getByRole("link", { name: /divided/ }).click();
    await message(bob, "new three").waitFor();
    expect(await bob.getByRole("separator").getByText("New").count()).toBe(0);
  });

  test("14 a room with much unread opens at the first of it, and what is below stays unread", async () => {
    const mia = await server.person("mia");
    await openRoom(mia, "much");
    await post(mia, "read");
    await mia.getByRole("link", { name: "lobby" }).click();
    await server.speak("carol", "much", many(60));
    const link = mia.getByRole("link", { name: /much/ });
    const unread = async (): Promise<number> => Number(/(\d+) unread/.exec((await link.textContent()) ?? "")?.[1] ?? 0);
    await eventually(unread).toBe(60);
    await link.click();
    await message(mia, "message 1").waitFor();
    await eventually(unread).toBeLessThan(60); // what is in sight is read
    expect(await unread()).toBeGreaterThan(20);
    const divider = (await mia.getByRole("separator").getByText("New").boundingBox())!;
    expect(divider.y).toBeLessThan((await message(mia, "message 1").boundingBox())!.y);
    expect(await fromEnd(mia)).toBeGreaterThan(300);
  });

  test("15 a button jumps to the latest with a count, 16 the view follows only at the end", async () => {
    const dave = await server.person("dave");
    await openRoom(dave, "long");
    await server.speak("carol", "long", many(60));
    await message(dave, "message 60").waitFor();
    await readAll(dave, "long", 60);
    await scroll(dave, -600);
    const before = await fromEnd(dave);
    expect(before).toBeGreaterThan(300);
    await server.speak("erin", "long", ["news 1", "news 2"]);
    const latest = dave.getByRole("button", { name: "2 new messages below. Jump to latest" });
    await latest.waitFor();
    expect(await fromEnd(dave)).toBeGreaterThan(before);
    await rest(dave);
    await latest.click();
    await message(dave, "news 2").waitFor();
    await eventually(() => fromEnd(dave)).toBeLessThan(5);
    await eventually(() => dave.getByRole("button", { name: /Jump to latest/ }).count()).toBe(0);
    await server.speak("erin", "long", ["news 3"]);
    await message(dave, "news 3").waitFor();
    await eventually(() => fromEnd(dave)).toBeLessThan(5);
  });

  test("16 who is at the end stays there when the field grows or a keyboard opens", async () => {
    const nina = await server.person("nina");
    await openRoom(nina, "grows");
    await server.speak("carol", "grows", many(60));
    await message(nina, "message 60").waitFor();
    await readAll(nina, "grows", 60);
    await rest(nina);
    const before = await top(nina, "message 60");
    await composer(nina).fill("1\n2\n3\n4\n5\n6");
    await eventually(() => top(nina, "message 60")).toBeLessThan(before - 60);
    await eventually(() => fromEnd(nina)).toBeLessThan(5);
    await nina.setViewportSize({ width: 1100, height: 420 });
    await eventually(() => nina.evaluate(() => innerHeight)).toBe(420);
    await eventually(() => fromEnd(nina)).toBeLessThan(5);
    await server.speak("carol", "grows", ["news"]);
    await message(nina, "news").waitFor();
    await eventually(() => fromEnd(nina)).toBeLessThan(5);
    await nina.setViewportSize({ width: 1100, height: 700 });
    await composer(nina).fill("");
    await eventually(() => nina.evaluate(() => innerHeight)).toBe(700);
    await eventually(() => fromEnd(nina)).toBeLessThan(5);
    await scroll(nina, -600);
    expect(await fromEnd(nina)).toBeGreaterThan(300);
    const text = (await texts(nina))[12]!;
    const seen = await top(nina, text);
    await composer(nina).fill("1\n2\n3\n4\n5\n6");
    await eventually(async () => (await composer(nina).boundingBox())!.height).toBeGreaterThan(100);
    await rest(nina);
    expect(Math.abs((await top(nina, text)) - seen)).toBeLessThanOrEqual(1);
  });

  test("18 unread counts are bold, mentions stronger, 20 the title has the count", async () => {
    const gina = await server.person("gina");
    await openRoom(gina, "counted");
    await gina.getByRole("link", { name: "lobby" }).click();
    await server.speak("carol", "counted", ["one", "two"]);
    const link = gina.getByRole("link", { name: /counted/ });
    await link.getByText("2 unread messages").waitFor({ state: "attached" });
    expect(Number(await link.evaluate((e) => getComputedStyle(e).fontWeight))).toBeGreaterThanOrEqual(600);
    expect(await link.locator(".badge.strong").count()).toBe(0);
    await eventually(() => gina.title()).toBe("(2) lobby – Confab");
    await server.speak("carol", "counted", ["and you, @gina?"]);
    await link.getByText("1 mention of you").waitFor({ state: "attached" });
    expect(await link.locator(".badge.strong").innerText()).toContain("1");
    await link.click();
    await eventually(() => link.locator(".badge").count()).toBe(0);
    await eventually(() => gina.title()).toBe("counted – Confab");
  });

  test("19 a message is read only in sight of an attentive person, and then on all devices", async () => {
    const phone = await server.person("hugo");
    await openRoom(phone, "seen");
    await phone.getByRole("link", { name: "lobby" }).click();
    const desk = await server.person("hugo");
    await desk.getByRole("link", { name: /seen/ }).click();
    await away(desk, true);
    await server.speak("carol", "seen", ["look"]);
    await message(desk, "look").waitFor();
    const badge = phone.getByRole("link", { name: /seen/ }).locator(".badge");
    await badge.waitFor();
    await desk.waitForTimeout(700); // longer than a marker takes to be sent
    expect(marker(desk, "seen")).toBe(0);
    expect(await badge.count()).toBe(1);
    await away(desk, false);
    await eventually(() => badge.count()).toBe(0);
  });

  test("21 a notification comes for a mention or direct message, after one has asked for it by a click", async () => {
    const iris = await server.person("iris");
    await iris.evaluate(() => {
      const shown: string[] = [];
      class Fake {
        static permission = "default";
        static async requestPermission(): Promise<string> {
          return (Fake.permission = "granted");
        }
        constructor(title: string, { body }: { body: string }) {
          shown.push(`${title}: ${body}`);
        }
      }
      Object.assign(window, { Notification: Fake, shown });
    });
    const shown = (): Promise<string[]> => iris.evaluate(() => (window as unknown as { shown: string[] }).shown);
    await away(iris, true);
    await server.speak("carol", "lobby", ["@iris are you there?"]);
    await message(iris, "@iris are you there?").waitFor();
    expect(await shown()).toEqual([]);
    await iris.getByRole("button", { name: /Your menu/ }).click();
    const ask = iris.getByRole("menuitem", { name: "Notify me of mentions and direct messages" });
    await passing(iris.getByText("Notifications are on"), () => ask.click());
    await server.speak("carol", "lobby", ["nothing for you", "@iris now?"]);
    await server.speak("carol", "to:iris", ["psst"]);
    await eventually(shown).toEqual(["carol in lobby: @iris now?", "carol: psst"]);
  });

  test("27 a link to a message loads what is around it and marks it", async () => {
    await server.speak("carol", "linked", many(400));
    const jane = await server.person("jane", {}, "#/lobby");
    await openRoom(jane, "linked");
    await jane.goto(`${server.url}#/linked/100`);
    const linked = message(jane, "message 100");
    await linked.waitFor();
    await eventually(() => linked.getAttribute("class")).toContain("marked");
    await eventually(() => linked.evaluate((e) => {
      const { top, bottom } = e.getBoundingClientRect();
      return top > 60 && bottom < innerHeight - 100;
    })).toBe(true);
    await message(jane, "message 103").waitFor();
    await jane.getByRole("button", { name: /Jump to latest/ }).click();
    await message(jane, "message 400").waitFor();
    await eventually(() => fromEnd(jane)).toBeLessThan(5);
  });

  test("30 search finds what is loaded of the room, and leads there", async () => {
    const kate = await server.person("kate");
    await server.speak("carol", "haystack", [...many(120), "the needle is here", ...many(60, "more")]);
    await openRoom(kate, "haystack");
    await message(kate, "more 60").waitFor();
    await kate.getByRole("button", { name: "Search in this room" }).click();
    const field = kate.getByLabel("Words to find");
    await field.waitFor();
    expect(await kate.getByText("Nothing found.").count()).toBe(0); // nothing was looked for
    await field.fill("needle");
    await kate.getByText("Nothing found.").waitFor();
    await kate.getByRole("button", { name: "Load older messages" }).click();
    await kate.getByRole("option", { name: /the needle is here/ }).waitFor();
    expect(await kate.locator("mark").allInnerTexts()).toEqual(["needle"]);
    await field.press("Enter");
    await eventually(() => message(kate, "the needle is here").getAttribute("class")).toContain("marked");
  });

  test("31 nothing jumps while messages come and are acknowledged", async () => {
    const liam = await server.person("liam");
    await openRoom(liam, "still");
    await server.speak("carol", "still", many(40));
    await message(liam, "message 40").waitFor();
    await readAll(liam, "still", 40);
    await scroll(liam, -400);
    expect(await fromEnd(liam)).toBeGreaterThan(200);
    const text = (await texts(liam))[12]!;
    const seen = await top(liam, text);
    const field = (await composer(liam).boundingBox())!;
    await server.speak("carol", "still", many(10, "later"));
    await liam.getByRole("button", { name: /10 new messages below/ }).waitFor();
    await rest(liam);
    expect(Math.abs((await top(liam, text)) - seen)).toBeLessThanOrEqual(1);
    expect(await composer(liam).boundingBox()).toEqual(field);
  });
});
