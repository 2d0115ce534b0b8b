// A server of one's own for each file of tests, and people in front of it.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from "playwright-core";
import { expect } from "vitest";

/** patience is how long something may take that takes milliseconds: the machine may be busy. */
export const patience = 20_000;

let browser: Promise<Browser> | null = null;

/** theBrowser is the one Chromium of all tests; it ends with the process. */
export function theBrowser(): Promise<Browser> {
  const executablePath = process.env.CONFAB_CHROMIUM ?? "/usr/bin/chromium";
  browser ??= chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  return browser;
}

/**
 * freePort gives a port that nobody listens on, below those that systems hand out (from 32,768 on Linux): while
 * a server is down nobody gets its port, not even who tries to connect to it.
 */
async function freePort(host: string): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer().listen(port, host);
    if (!(await once(server, "listening").then(() => true, () => false))) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** Server is a running confab. */
export class Server {
  private process: ChildProcess | null = null;
  private people: Page[] = [];
  private talking: Page | null = null;
  readonly data = mkdtempSync(join(tmpdir(), "confab-page-"));

  private constructor(readonly port: number, private readonly flags: string[], readonly host: string) {}

  static async start(flags: string[] = [], host = "127.0.0.1"): Promise<Server> {
    const server = new Server(await freePort(host), flags, host);
    await server.up();
    return server;
  }

  get url(): string {
    return `http://${this.host}:${this.port}/`;
  }

  /** up starts the program, on the same port each time. */
  async up(): Promise<void> {
    const program = process.env.CONFAB_PROGRAM ?? "../confab";
    const args = ["serve", "--addr", `${this.host}:${this.port}`, "--admin-addr", "off", "--data", this.data, "--drain", "0s"];
    const child = spawn(program, [...args, ...this.flags], { stdio: ["ignore", "pipe", "pipe"] });
    this.process = child;
    child.stderr!.resume();
    let said = "";
    for await (const line of createInterface({ input: child.stdout! })) {
      said += `${line}\n`;
      if (line.includes("Ctrl-C")) break;
    }
    expect(said, "the server has ended").toContain("Ctrl-C");
    child.stdout!.resume();
  }

  /** kill ends the program as a power failure would. */
  async kill(): Promise<void> {
    const child = this.process;
    this.process = null;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    await Promise.all(this.people.map((page) => page.context().close()));
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** page opens the page for somebody new, after prepare; what it complains of is in complaints. */
  async page(path = "", options: BrowserContextOptions = {}, prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
    const context = await (await theBrowser()).newContext({ viewport: { width: 1100, height: 700 }, locale: "en-GB", ...options });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    watch(page);
    this.people.push(page);
    await prepare?.(page);
    await page.goto(this.url + path);
    return page;
  }

  /** person is somebody who has chosen a name on an earlier visit. */
  async person(name: string, options: BrowserContextOptions = {}, path = ""): Promise<Page> {
    const localStorage = [{ name: "confab.name", value: name }];
    const storageState = { cookies: [], origins: [{ origin: new URL(this.url).origin, localStorage }] };
    const page = await this.page(path, { storageState, ...options });
    await inside(page);
    return page;
  }

  /** link makes a link on the host, as its operator does. */
  link(...args: string[]): string {
    const program = process.env.CONFAB_PROGRAM ?? "../confab";
    const out = execFileSync(program, ["link", ...args, "--data", this.data], { encoding: "utf8" });
    const found = /https?:\/\/\S+\/join#(\S+)/.exec(out);
    if (!found) throw new Error(`no link in ${out}`);
    return `join#${found[1]!}`;
  }

  /** join comes in by a link, as somebody new. */
  async join(path: string, handle: string, prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
    const page = await this.page(path, {}, prepare);
    await page.getByLabel("Your handle").fill(handle);
    await page.getByRole("button", { name: "Join" }).click();
    await inside(page);
    return page;
  }

  /** speak sends texts to a room over a bare WebSocket, and waits until each is stored. */
  async speak(name: string, room: string, texts: string[]): Promise<void> {
    const page = await this.talker();
    const url = `${this.url.replace("http", "ws")}production?name=${name}`;
    await page.evaluate(speakFrom, { url, room, texts });
  }

  private async talker(): Promise<Page> {
    if (this.talking) return this.talking;
    const context = await (await theBrowser()).newContext();
    const page = await context.newPage();
    this.people.push(page);
    await page.goto(`${this.url}icon.svg`);
    this.talking = page;
    return page;
  }
}

/** speakFrom runs in a page of the same origin. */
function speakFrom({ url, room, texts }: { url: string; room: string; texts: string[] }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const mine = `t${Math.random()}-`;
    let sent = 0;
    let stored = 0;
    const next = (): void => {
      for (; sent < texts.length && sent - stored < 30; sent++) {
        const frame = { action: "sendMessage", id: mine + sent, message: texts[sent], ...(room.startsWith("to:") ? { to: room.slice(3) } : { room }) };
        socket.send(JSON.stringify(frame));
      }
    };
    socket.onopen = () => {
      socket.send('{"action":"hello","id":"h"}');
      if (room === "lobby" || room.startsWith("to:")) next();
      else socket.send(JSON.stringify({ action: "joinRoom", id: "j", room }));
    };
    socket.onmessage = (e) => {
      const event = JSON.parse(e.data as string) as { event: string; id?: string; message?: string };
      if (event.event === "error") reject(new Error(event.message));
      if (event.event === "joined") next();
      if (event.event !== "message" || !event.id?.startsWith(mine)) return;
      if (++stored === texts.length) {
        socket.close();
        resolve();
      } else next();
    };
    socket.onerror = () => reject(new Error("no connection"));
  });
}

const complaints = new WeakMap<Page, string[]>();
const markers = new WeakMap<Page, Map<string, number>>();

/** watch notes what a page complains of, and how far it tells the server that its person has read. */
export function watch(page: Page): void {
  const list: string[] = [];
  complaints.set(page, list);
  const read = new Map<string, number>();
  markers.set(page, read);
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => {
    const frame = JSON.parse(String(payload)) as { action: string; room: string; seq: number };
    if (frame.action === "read") read.set(frame.room, frame.seq);
  }));
  page.on("pageerror", (e) => list.push(String(e)));
  page.on("console", (m) => {
    if (m.type() === "error" && !m.text().includes("ERR_CONNECTION_REFUSED")) list.push(m.text());
  });
}

/** complained gives the errors of a page, policy violations among them. */
export function complained(page: Page): string[] {
  return complaints.get(page) ?? [];
}

/** inside waits until the chat is there, and until it follows keys and news: it does from a frame later on. */
export async function inside(page: Page): Promise<void> {
  await composer(page).waitFor();
  await eventually(() => page.title()).toMatch(/ – Confab$/); // set by the last effect
}

/** marker gives how far a page has told the server that a room is read. */
export function marker(page: Page, room: string): number {
  return markers.get(page)?.get(room) ?? 0;
}

/** composer is the field where one writes. */
export function composer(page: Page): Locator {
  return page.locator(".composer textarea");
}

/** say writes a message and sends it. */
export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}

/** message finds a message by its text. */
export function message(page: Page, text: string): Locator {
  return page.locator(".message", { has: page.locator(".text").getByText(text, { exact: true }) });
}

/** texts gives the messages in the document, in order. */
export function texts(page: Page): Promise<string[]> {
  return page.locator(".rows > li").evaluateAll((rows) =>
    rows.sort((a, b) => Number((a as HTMLElement).dataset.index) - Number((b as HTMLElement).dataset.index))
      .flatMap((row) => row.querySelector<HTMLElement>(".text")?.innerText ?? []));
}

/** eventually waits until something is so. */
export function eventually(get: () => unknown): ReturnType<typeof expect.poll> {
  return expect.poll(get, { timeout: patience, interval: 50 });
}

/** openRoom makes or joins a room from the directory. */
export async function openRoom(page: Page, room: string, create: "" | "private" = ""): Promise<void> {
  await page.getByRole("button", { name: "Find or create a room" }).first().click();
  await page.getByLabel("Find or name a room").fill(room);
  const make = page.getByRole("option", { name: create ? `Create the private room ${room}` : `Create the room ${room}` });
  const join = page.getByRole("option", { name: new RegExp(`^${room}( |$)`) });
  await make.or(join).first().click();
  await page.getByRole("heading", { name: room, level: 1 }).waitFor();
  await eventually(() => page.title()).toContain(`${room} – Confab`); // as in inside
}
