// The page that `confab page` writes, on static hosts, before the deployment itself; web/stage_test.go
// starts all of it. Pages run on a clock of theirs where an hour has to pass.
import { afterAll, describe, expect, test, vi } from "vitest";
import type { Page } from "playwright-core";
import { faults } from "./axe.ts";
import { complained, composer, eventually, inside, message, openRoom, patience, say, texts, theBrowser, watch } from "./fixture.ts";
import { connected, holdTimers, sent } from "./signs.ts";

interface Place {
  page: string;
  socket: string;
  issuer: string;
}

const { places, control } = JSON.parse(process.env.CONFAB_STAGE ?? "{}") as
  { places: { open: Place; signedIn: Place }; control: string };

vi.setConfig({ testTimeout: 120_000 }); // functions start as processes, two of them for a handshake

const opened: Page[] = [];
const asked = new WeakMap<Page, Set<string>>();

/** visit opens a page for somebody new; asks tells later which origins it has asked. */
async function visit(url: string, before?: (page: Page) => Promise<void>): Promise<Page> {
  const context = await (await theBrowser()).newContext({ viewport: { width: 1100, height: 700 }, locale: "en-GB" });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  opened.push(page);
  watch(page);
  const origins = new Set<string>();
  asked.set(page, origins);
  page.on("request", (r) => origins.add(new URL(r.url()).origin));
  page.on("websocket", (s) => origins.add(new URL(s.url()).origin));
  await before?.(page);
  await page.goto(url);
  return page;
}

function asks(page: Page): string[] {
  return [...asked.get(page)!].sort();
}

const origin = (url: string): string => new URL(url).origin;

afterAll(() => Promise.all(opened.map((page) => page.context().close())));

describe("a page on a static host, without an issuer", () => {
  const place = places.open;

  async function person(name: string): Promise<Page> {
    const page = await visit(place.page);
    await page.getByLabel("Your name").fill(name);
    await page.keyboard.press("Enter");
    await inside(page);
    return page;
  }

  test("two people chat, reload, and come back after a cut; nobody else is asked for anything", async () => {
    const alice = await person("alice");
    const bob = await person("bob");
    await openRoom(alice, "tea");
    await openRoom(bob, "tea");
    await say(alice, "milk?");
    await message(bob, "milk?").waitFor();
    await bob.reload();
    await message(bob, "milk?").waitFor();
    await fetch(`${place.page}cut`);
    for (const text of ["two", "sugars"]) await say(bob, text);
    await message(alice, "sugars").waitFor();
    expect(await texts(alice)).toEqual(["milk?", "two", "sugars"]);
    await sent(bob);
    expect(await texts(bob)).toEqual(["milk?", "two", "sugars"]);
    await alice.getByRole("button", { name: /Your menu/ }).click();
    await alice.getByRole("menuitem", { name: "Connection" }).waitFor();
    expect(await alice.getByRole("menuitem", { name: /devices|Sign out|Invite people|Manage/ }).count()).toBe(0);
    for (const page of [alice, bob]) {
      expect(asks(page)).toEqual([origin(place.page), origin(place.socket)].sort());
      expect(complained(page)).toEqual([]);
    }
  });
});

interface Order {
  who?: Record<string, string>;
  renews?: boolean;
  refuse?: string;
}

/** issuer tells the issuer how to sign people in from now on, and gives what it was asked so far. */
async function issuer(order?: Order): Promise<string[]> {
  const response = await fetch(control, order ? { method: "POST", body: JSON.stringify(order) } : {});
  return (await response.json()) as string[];
}

/** since gives what the issuer was asked after a moment. */
async function since(before: string[]): Promise<string[]> {
  return (await issuer()).slice(before.length);
}

/** idOf reads the id of a frame, if it has one. */
function idOf(frame: string | Buffer, use: (id: string) => unknown): void {
  const { id } = JSON.parse(String(frame)) as { id?: string };
  if (id) use(id);
}

describe("a page on a static host, with an issuer", () => {
  const place = places.signedIn;

  async function person(nick: string, renews: boolean, path = "", before?: (page: Page) => Promise<void>): Promise<Page> {
    const page = await visit(place.page + path, before);
    await page.getByText(`You sign in at ${new URL(place.issuer).host} and come back here.`).waitFor();
    await issuer({ who: { sub: `sub-${nick}`, nick }, renews });
    await page.getByRole("button", { name: "Sign in" }).click();
    await inside(page);
    return page;
  }

  /** clocked gives a page a clock that can be turned; an open connection is renewed at 75 % of its life. */
  async function clocked(page: Page): Promise<void> {
    await page.clock.install();
    await page.addInitScript(() => (Math.random = () => 0));
  }

  /** most is after a connection's and before a token's end: both live for an hour. */
  const most = "50:00";

  test("people sign in at the issuer, chat as who it says, and sign out, in all tabs", async () => {
    const alice = await person("alice", true, "#/lobby");
    const bob = await person("bob", true);
    await say(alice, "hello");
    const row = message(bob, "hello");
    await row.waitFor();
    expect(await row.innerText()).toContain("alice");
    await eventually(() => alice.url()).toBe(`${place.page}#/lobby`);
    const kept = await alice.evaluate(() => Object.keys(sessionStorage).concat(Object.values(localStorage)).join());
    expect(kept).toBe("confab.token,alice\nlobby"); // who was here, for a page opened offline; no token
    await alice.reload();
    await message(alice, "hello").waitFor();
    const tab = await alice.context().newPage();
    await tab.goto(place.page);
    await tab.getByRole("button", { name: "Sign in" }).click(); // each tab has a token of its own
    await composer(tab).waitFor();
    const before = await issuer();
    await alice.getByRole("button", { name: /Your menu/ }).click();
    await alice.getByRole("menuitem", { name: "Sign out" }).waitFor();
    expect(await alice.getByRole("menuitem", { name: /devices|Invite people|Manage/ }).count()).toBe(0);
    await alice.getByRole("menuitem", { name: "Sign out" }).click();
    for (const page of [alice, tab]) await page.getByRole("button", { name: "Sign in" }).waitFor();
    await eventually(() => alice.evaluate(() => sessionStorage.length)).toBe(0);
    await eventually(() => since(before)).toEqual(["revoked", "left"]);
    for (const page of [alice, bob]) {
      expect(asks(page)).toEqual([origin(place.page), origin(place.socket), place.issuer].sort());
      expect(complained(page)).toEqual([]);
    }
  });

  test("who is not let in reads why", async () => {
    const stranger = await visit(`${place.page}?error=server_error&error_description=Call+us&state=mine`);
    await stranger.getByText("That sign-in was begun elsewhere, or too long ago.").waitFor();
    await eventually(() => stranger.url()).not.toContain("?");
    await issuer({ refuse: "access_denied" });
    await stranger.getByRole("button", { name: "Sign in again" }).click();
    await stranger.getByText("You were not let in where you signed in, or turned back there.").waitFor();
    expect(await faults(stranger)).toEqual([]);
    await issuer({ refuse: "temporarily_unavailable" });
    await stranger.getByRole("button", { name: "Sign in again" }).click();
    await stranger.getByText("You could not be signed in: “temporarily_unavailable”").waitFor();
    expect(complained(stranger)).toEqual([]);
    await issuer({ who: { sub: "x", nick: "no name" } }); // which the authorizer refuses
    await stranger.getByRole("button", { name: "Sign in again" }).click();
    await stranger.getByText(/^The chat takes no connection from here\./).waitFor();
    await issuer({ who: { sub: "x", nick: "zoe" } });
    await stranger.getByRole("button", { name: "Sign in again" }).click();
    await composer(stranger).waitFor();
  });

  test("a token is renewed before it ends, and nothing is lost or doubled while the connection changes", async () => {
    const unanswered = new Set<string>();
    const carol = await person("carol", true, "", async (page) => {
      await clocked(page);
      page.on("websocket", (s) => {
        s.on("framesent", (f) => idOf(f.payload, (id) => unanswered.add(id)));
        s.on("framereceived", (f) => idOf(f.payload, (id) => unanswered.delete(id)));
      });
    });
    const dave = await person("dave", true);
    const room = `on-${Date.now()}`;
    for (const page of [carol, dave]) await openRoom(page, room);
    await holdTimers(carol, 8_000, 15_000); // a connection is not dead because the machine is slow
    const token = (): Promise<string> => carol.evaluate(() => JSON.parse(sessionStorage.getItem("confab.token")!).token as string);
    const first = await token();
    const before = await issuer();
    await carol.evaluate(() => {
      new MutationObserver(() => {
        if (document.querySelector(".banner")) Reflect.set(window, "lost", true);
      }).observe(document.body, { childList: true, subtree: true });
    });
    const sockets: string[] = [];
    carol.on("websocket", (s) => sockets.push(s.url()));
    const said: string[] = [];
    for (let i = 0; i < 8; i++) {
      if (i === 3) { // when nothing waits for an answer that this would seem to delay
        await eventually(() => unanswered.size).toBe(0);
        await carol.clock.fastForward(most);
      }
      for (const [name, page] of [["carol", carol], ["dave", dave]] as const) {
        said.push(`${name} ${i}`);
        await say(page, `${name} ${i}`);
      }
    }
    await eventually(() => sockets.length).toBe(1);
    for (const page of [carol, dave]) {
      await eventually(async () => (await texts(page)).sort()).toEqual([...said].sort());
      await sent(page);
    }
    expect(sockets[0]).toBe(place.socket); // no token in an address
    expect(await since(before)).toEqual(["renewed"]);
    await eventually(token).not.toBe(first);
    expect(await carol.evaluate(() => Reflect.get(window, "lost"))).toBeUndefined();
    expect(complained(carol)).toEqual([]);
  });

  test("without a refresh token the page visits the issuer while it is out of sight, and keeps what one was doing", async () => {
    const erin = await person("erin", false, "", async (page) => {
      await clocked(page);
      await page.addInitScript(() => Object.defineProperty(Document.prototype, "hidden", { get: () => true }));
    });
    await openRoom(erin, "tea");
    await composer(erin).fill("half a draft");
    let before = await issuer();
    await erin.clock.fastForward(most);
    await eventually(() => since(before)).toEqual(["silent"]);
    await eventually(() => composer(erin).inputValue()).toBe("half a draft");
    await eventually(() => erin.url()).toBe(`${place.page}#/tea`);
    await eventually(() => connected(erin)).toBe(true);

    await issuer({ refuse: "login_required" }); // the issuer has forgotten her: the old token serves to its end
    before = await issuer();
    await erin.clock.fastForward(most);
    await eventually(() => since(before)).toEqual(["silent"]);
    await eventually(() => composer(erin).inputValue()).toBe("half a draft");
    await eventually(() => connected(erin)).toBe(true);
    await erin.clock.fastForward(most);
    await erin.getByText("Your sign-in has ended. Sign in again and go on: what you wrote is kept.").waitFor();
    await issuer({ who: { sub: "sub-erin", nick: "erin" } });
    await erin.getByRole("button", { name: "Sign in again" }).click();
    await eventually(() => composer(erin).inputValue()).toBe("half a draft");
    await eventually(() => erin.url()).toBe(`${place.page}#/tea`);
    expect(complained(erin)).toEqual([]);
  });
});
