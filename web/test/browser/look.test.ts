import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faults } from "./axe.ts";
import { complained, composer, eventually, inside, message, openRoom, Server } from "./fixture.ts";
import { closed, holdTimers, post, sent } from "./signs.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start()));
afterAll(() => server.stop());

/** background gives the colour behind everything. */
function background(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
}

/** focused waits until keys go into a field: it gets them a frame after it is there. */
async function focused(field: Locator): Promise<void> {
  await eventually(() => field.evaluate((e) => e === document.activeElement)).toBe(true);
}

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

describe("how it looks and for whom", () => {
  test("by keyboard alone from the start to a sent message, without reading anything", async () => {
    const alice = await server.page();
    await focused(alice.getByLabel("Your name"));
    await alice.keyboard.type("alice");
    await alice.keyboard.press("Enter");
    await focused(composer(alice));
    await alice.keyboard.type("hello");
    await alice.keyboard.press("Enter");
    await message(alice, "hello").waitFor();
    await sent(alice);
    expect(complained(alice)).toEqual([]);
  });

  test("a name that the server would refuse is explained before it is sent", async () => {
    const page = await server.page();
    await page.getByLabel("Your name").fill("a b");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText(/beginning with a letter or digit/).waitFor();
  });

  test("a name that only the server refuses leads back to the choice of one", async () => {
    const page = await server.page();
    await page.getByLabel("Your name").fill("\u0430lice"); // of two scripts
    await page.keyboard.press("Enter");
    await page.getByText(/it may not accept your name/).waitFor();
    await page.getByRole("main").getByRole("button", { name: "Change your name" }).click();
    await page.getByLabel("Your name").fill("alice-two");
    await page.keyboard.press("Enter");
    await composer(page).waitFor();
  });

  test("axe finds no fault with any view, by day and by night", async () => {
    const start = await server.page();
    await start.getByLabel("Your name").waitFor();
    expect(await faults(start)).toEqual([]);
    await server.speak("bob", "lobby", ["**hi** `code` @carol https://example.org/", "```\nblock\n```", "> quote\n\n- list", "| a | b |\n|---|---|\n| c | d |"]);
    const carol = await server.person("carol");
    await message(carol, "block").first().waitFor();
    await post(carol, "mine");
    expect(await faults(carol)).toEqual([]);
    await openRoom(carol, "axe");
    expect(await faults(carol)).toEqual([]);
    const panels = ["Jump to…", "Find or create a room", "Write to somebody", "Members", "Invite somebody", "Search in this room", "Emoji"];
    for (const name of panels) {
      await carol.getByRole("button", { name, exact: true }).first().click();
      await carol.getByRole("dialog").waitFor();
      if (name === "Emoji") await carol.getByRole("button", { name: "grinning face", exact: true }).waitFor();
      expect(await faults(carol), name).toEqual([]);
      await carol.keyboard.press("Escape");
      await closed(carol);
    }
    await carol.getByRole("button", { name: /Your menu/ }).click();
    await carol.getByRole("menu").waitFor();
    expect(await faults(carol), "menu").toEqual([]);
    await carol.getByRole("menuitem", { name: "Connection" }).click();
    await carol.getByRole("dialog").waitFor();
    expect(await faults(carol), "connection").toEqual([]);
  });

  test("34 dark and light follow the system, can be chosen, and motion is reduced where asked", async () => {
    const dave = await server.person("dave", { colorScheme: "light" });
    const light = await background(dave);
    await dave.emulateMedia({ colorScheme: "dark" });
    const dark = await background(dave);
    expect(dark).not.toBe(light);
    await dave.getByRole("button", { name: /Your menu/ }).click();
    await dave.getByRole("menuitemradio", { name: "Appearance: Light" }).click();
    await eventually(() => background(dave)).toBe(light);
    await dave.reload();
    await inside(dave);
    expect(await background(dave)).toBe(light);
    await dave.emulateMedia({ colorScheme: "light" });
    await dave.getByRole("button", { name: /Your menu/ }).click();
    await dave.getByRole("menuitemradio", { name: "Appearance: Dark" }).click();
    await eventually(() => background(dave)).toBe(dark);
    const duration = (): Promise<string> => dave.locator(".icon-button").first().evaluate((e) => getComputedStyle(e).transitionDuration);
    expect(await duration()).not.toBe("0s");
    await dave.emulateMedia({ reducedMotion: "reduce" });
    expect(await duration()).toBe("0s");
  });

  test("35 a phone has one column, the composer at the bottom, and the way back closes what is open", async () => {
    const erin = await server.person("erin", phone);
    expect(await erin.locator(".sidebar").isVisible()).toBe(false);
    const width = await erin.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
    const field = (await composer(erin).boundingBox())!;
    expect(field.y + field.height).toBeGreaterThan(760);
    await erin.setViewportSize({ width: 390, height: 500 }); // as a keyboard leaves
    const end = async (): Promise<number> => {
      const { y, height } = (await composer(erin).boundingBox())!;
      return y + height;
    };
    await eventually(end).toBeLessThanOrEqual(500);
    await erin.setViewportSize({ width: 390, height: 844 });
    await erin.getByRole("button", { name: "Members" }).click();
    await erin.getByRole("dialog").waitFor();
    await erin.goBack();
    await closed(erin);
    expect(await composer(erin).isVisible()).toBe(true);
    await erin.goBack();
    await eventually(() => erin.locator(".sidebar").isVisible()).toBe(true);
    await erin.getByRole("link", { name: "lobby" }).click();
    await composer(erin).waitFor();
    await erin.setViewportSize({ width: 320, height: 240 }); // the narrowest, and its keyboard
    await erin.getByRole("button", { name: "Emoji" }).click();
    const eighth = (await erin.getByRole("button", { name: "face with tears of joy", exact: true }).boundingBox())!;
    expect(eighth.x + eighth.width).toBeLessThanOrEqual(320);
    await erin.goBack();
    await erin.goBack();
    await erin.getByRole("button", { name: /Your menu/ }).click();
    const menu = (await erin.getByRole("menu").boundingBox())!;
    expect(menu.y).toBeGreaterThanOrEqual(0);
    expect(menu.y + menu.height).toBeLessThanOrEqual(240);
    await erin.keyboard.press("Escape");
    await erin.setViewportSize({ width: 390, height: 844 });
    await erin.goto(`${server.url}#/nowhere`);
    await erin.getByRole("heading", { name: "There is no such room for you" }).waitFor();
    await erin.getByRole("button", { name: "Back to the list of rooms" }).click();
    await eventually(() => erin.locator(".sidebar").isVisible()).toBe(true);
  });

  test("a room that is opened while a panel closes stays, and the way back leads from it", async () => {
    const hugo = await server.person("hugo");
    await openRoom(hugo, "quick");
    await hugo.evaluate(() => new Promise((back) => { // all before the browser has gone back in its history
      addEventListener("popstate", back, { once: true });
      for (const key of [{ key: "k", ctrlKey: true }, { key: "k", ctrlKey: true }, { key: "ArrowUp", altKey: true }])
        dispatchEvent(new KeyboardEvent("keydown", key));
    }).then(() => undefined));
    await hugo.getByRole("heading", { name: "lobby", level: 1 }).waitFor();
    await eventually(() => hugo.url()).toBe(`${server.url}#/lobby`);
    await hugo.goBack();
    await hugo.getByRole("heading", { name: "quick", level: 1 }).waitFor();
  });

  test("37 arrow keys move the focus in lists", async () => {
    await server.speak("bob", "arrows", ["one", "two", "three"]);
    const frank = await server.person("frank");
    await openRoom(frank, "arrows");
    await message(frank, "three").waitFor();
    await message(frank, "three").focus();
    const focused = (): Promise<string> => frank.evaluate(() => document.activeElement?.querySelector<HTMLElement>(".text")?.innerText ?? "");
    await frank.keyboard.press("ArrowUp");
    await eventually(focused).toBe("two");
    await frank.keyboard.press("Home");
    await eventually(focused).toBe("one");
    await frank.keyboard.press("End");
    await eventually(focused).toBe("three");
    await eventually(() => frank.locator(".row[tabindex='0']").count()).toBe(1);
    await frank.getByRole("link", { name: "lobby" }).focus();
    await frank.keyboard.press("ArrowDown");
    await eventually(() => frank.evaluate(() => document.activeElement?.textContent)).toContain("arrows");
  });

  test("38 new messages are announced from one polite region, bursts as a count", async () => {
    const gina = await server.person("gina");
    await openRoom(gina, "heard");
    const region = gina.locator("#announcements");
    expect(await region.getAttribute("aria-live")).toBe("polite");
    expect(await gina.locator(".rows [aria-live], .rows [role=log]").count()).toBe(0);
    const release = await holdTimers(gina, 800); // within which messages are announced together
    const hear = async (texts: string[]): Promise<void> => {
      await server.speak("bob", "heard", texts);
      await message(gina, texts.at(-1)!).waitFor();
      await release();
    };
    await hear(["just one"]);
    await eventually(() => region.innerText()).toBe("bob: just one");
    await hear(Array.from({ length: 12 }, (_, i) => `burst ${i}`));
    await eventually(() => region.innerText()).toBe("12 new messages in heard");
    await post(gina, "my own");
    await hear(["the last one"]);
    await eventually(() => region.innerText()).toBe("bob: the last one"); // alone: one's own is not counted
  });
});
