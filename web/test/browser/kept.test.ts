import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BrowserContext, Page } from "playwright-core";
import { complained, composer, eventually, message, openRoom, patience, say, Server, texts, theBrowser } from "./fixture.ts";
import { built, Host, rebuilt } from "./host.ts";
import { post, reconnect, stored } from "./signs.ts";

/** kept waits until the browser keeps the page. */
async function kept(page: Page): Promise<void> {
  const active = (): Promise<boolean> =>
    page.evaluate(() => navigator.serviceWorker.getRegistration().then((there) => Boolean(there?.active)));
  await eventually(active).toBe(true);
}

/** cached lists what the caches of a page's origin hold, by their paths. */
function cached(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const caches = await Promise.all((await window.caches.keys()).map((name) => window.caches.open(name)));
    const requests = (await Promise.all(caches.map((cache) => cache.keys()))).flat();
    return requests.map(({ url }) => new URL(url).pathname).sort();
  });
}

describe("the page without the network", () => {
  let server: Server;
  beforeAll(async () => void (server = await Server.start()));
  afterAll(() => server.stop());

  test("6 opened without the network, it has rooms, drafts and what waits, and sends that in order", async () => {
    const alice = await server.person("alice");
    const bob = await server.person("bob");
    await openRoom(alice, "tea");
    await composer(alice).fill("half a draft");
    await openRoom(bob, "tea");
    await say(bob, "before");
    await message(alice, "before").waitFor();
    await kept(alice);
    await eventually(() => stored(alice)).toEqual(["half a draft"]);
    await server.kill();

    await alice.reload();
    await alice.getByText("No connection.").waitFor();
    await alice.getByText("Messages need a connection.").waitFor();
    await eventually(() => composer(alice).inputValue()).toBe("half a draft");
    expect(await alice.locator(".room-link .name").allInnerTexts()).toEqual(["lobby", "tea"]);
    for (const text of ["one", "two"]) await say(alice, text);
    await alice.getByText("2 messages wait to be sent.").waitFor();
    await eventually(() => stored(alice)).toHaveLength(2);
    await alice.reload();
    await eventually(() => texts(alice)).toEqual(["one", "two"]);
    await say(alice, "three");
    await alice.goto(`${server.url}#/to%3Abob`);
    await alice.getByRole("heading", { name: "bob", level: 1 }).waitFor();
    await say(alice, "for you alone");
    await eventually(() => stored(alice)).toHaveLength(4);
    await alice.reload();
    await message(alice, "for you alone").waitFor();
    await alice.getByRole("link", { name: "tea" }).click();
    await alice.getByRole("link", { name: /bob/ }).waitFor(); // begun, and in the list

    await server.up();
    for (const page of [alice, bob]) await reconnect(page);
    await message(bob, "three").waitFor();
    await eventually(() => texts(alice)).toEqual(["before", "one", "two", "three"]);
    await eventually(() => alice.locator(".pending").count()).toBe(0);
    await eventually(() => texts(bob)).toEqual(["before", "one", "two", "three"]);
    await bob.getByRole("link", { name: /alice/ }).click();
    await message(bob, "for you alone").waitFor();
    await bob.reload();
    await eventually(() => texts(bob)).toEqual(["for you alone"]);
    expect(complained(alice).filter((c) => !c.includes("net::ERR_"))).toEqual([]);
  });

  test("the caches hold files of the page alone, and the worker answers for nothing else", async () => {
    const carol = await server.person("carol");
    await post(carol, "not to be kept");
    await kept(carol);
    await carol.reload(); // now all it asks for passes the worker
    await message(carol, "not to be kept").waitFor();
    await carol.getByRole("button", { name: /Your menu/ }).click();
    await carol.getByRole("menuitem", { name: "Connection" }).click();
    await carol.getByText("This page opens, and sends later what you write.").waitFor();
    const files = [...built().keys()].filter((name) => !["sw.js", "licenses.txt"].includes(name));
    expect(await cached(carol)).toEqual([...files, "confab.json"].map((name) => `/${name}`).sort());
    await server.kill();
    const answers = await carol.evaluate(() => Promise.all(
      ["auth/mode", "metrics", "production", "licenses.txt"].map((path) => fetch(path).then(() => path, () => "none")),
    ));
    expect(answers).toEqual(["none", "none", "none", "none"]);
    await expect(carol.goto(`${server.url}join`)).rejects.toThrow(/ERR_CONNECTION_REFUSED/);
    await server.up();
  });

  test("no other script becomes a worker", async () => {
    const dave = await server.person("dave");
    await kept(dave); // the page has made its policy, of which there is to be one
    const tried = await dave.evaluate(async () => {
      const refused = (e: Error): string => e.name;
      const types = Reflect.get(window, "trustedTypes") as { createPolicy(name: string, rules: object): unknown };
      return [
        await navigator.serviceWorker.register("./app.js" as never).then(() => "registered", refused),
        await navigator.serviceWorker.register("./sw.js" as never).then(() => "registered", refused),
        ...["confab-worker", "other", "default"].map((name) => {
          try {
            types.createPolicy(name, { createScriptURL: (url: string) => url });
            return "made";
          } catch (e) {
            return refused(e as Error);
          }
        }),
      ];
    });
    expect(tried).toEqual(Array(5).fill("TypeError"));
  });
});

describe("the page on a static host, below a path", () => {
  const start = "Start chatting";
  const changed = ["Chat one", "Chat two"].map((words) => rebuilt(built(), [["app.js", start, words]]));
  let host: Host;
  let context: BrowserContext;
  let page: Page;

  beforeEach(async () => {
    host = new Host(built(), '{"version":"","socket":"ws://127.0.0.1:9/production","auth":"open"}');
    await host.up();
    context = await (await theBrowser()).newContext();
    context.setDefaultTimeout(patience);
    page = await context.newPage();
    await page.goto(host.url);
    await page.getByRole("button", { name: start }).waitFor();
    await kept(page);
  });
  afterEach(async () => {
    await context.close();
    await host.down();
  });

  /** builds counts the builds that are kept whole. */
  const builds = async (): Promise<number> =>
    (await cached(page)).filter((path) => path === "/chat/index.html").length;

  /** settled waits until a worker that came with a new build is there or has failed. */
  const settled = async (): Promise<void> => {
    await eventually(() => host.asked.filter((path) => path === "sw.js").length).toBeGreaterThan(1);
    await page.evaluate(async () => {
      const there = await navigator.serviceWorker.getRegistration();
      await there?.update().catch(() => undefined);
      const worker = there?.installing;
      if (worker?.state === "installing") await new Promise((changes) => worker.addEventListener("statechange", changes));
    });
  };

  test("opens without the network, with all of its parts", async () => {
    await host.down();
    await page.reload();
    await page.getByLabel("Your name").fill("alice");
    await page.keyboard.press("Enter");
    await page.getByText("No connection.").waitFor();
    await page.getByRole("button", { name: /Your menu/ }).click();
    await page.getByRole("menuitem", { name: "Connection" }).click();
    await page.getByText("This page opens, and sends later what you write.").waitFor();
    expect((await cached(page)).every((path) => path.startsWith("/chat/"))).toBe(true);
  });

  test.each(["502", "silent"] as const)("opens too when what stands before the server says %s", async (fault) => {
    host.fault = fault;
    await page.reload();
    await page.getByRole("button", { name: start }).waitFor();
  });

  test("takes its files from the cache, and only the document and confab.json from the host", async () => {
    await page.waitForLoadState("networkidle");
    host.asked = [];
    await page.reload();
    await page.getByRole("button", { name: start }).waitFor();
    await eventually(() => host.asked).toContain("sw.js"); // whether there is a newer one
    expect(host.asked.filter((path) => path !== "sw.js")).toEqual(["", "confab.json"]);
  });

  test("shows a new build at the next load, and an open page stays of its own", async () => {
    await page.reload(); // of the cache
    const old = page;
    host.files = changed[0]!;
    page = await context.newPage();
    await page.goto(host.url);
    await page.getByRole("button", { name: "Chat one" }).waitFor();
    await eventually(builds).toBe(2);
    host.files = changed[1]!; // which a worker may fetch at any time
    await old.getByLabel("Your name").fill("alice");
    await old.keyboard.press("Enter");
    host.scripts = [];
    await old.getByRole("button", { name: /Your menu/ }).click(); // fetched only now
    await old.getByRole("menuitem", { name: "Connection" }).click();
    await old.getByRole("dialog").waitFor();
    expect(host.scripts).toEqual([]);
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await page.getByRole("button", { name: "Chat two" }).waitFor();
  });

  test("keeps no build whose files do not belong together, and opens the last whole one", async () => {
    const torn = new Map(changed[0]);
    torn.set("app.js", changed[1]!.get("app.js")!); // in the middle of a deployment
    host.files = torn;
    await page.reload();
    await page.getByRole("button", { name: "Chat two" }).waitFor(); // as the host has it
    await settled();
    expect(await builds()).toBe(1);
    await host.down();
    await page.reload();
    await page.getByRole("button", { name: start }).waitFor();
  });

  test("deletes the caches of builds that nobody has open", async () => {
    host.files = changed[0]!;
    await page.reload();
    await eventually(builds).toBe(2);
    await settled();
    await eventually(async () => { // once the new worker is at work, and the page before is gone
      await page.goto("about:blank");
      await page.goto(host.url);
      await page.getByRole("button", { name: "Chat one" }).waitFor();
      return builds();
    }).toBe(1);
    await host.down();
    await page.reload();
    await page.getByRole("button", { name: "Chat one" }).waitFor();
  });
});
