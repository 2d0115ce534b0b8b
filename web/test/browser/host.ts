// A static host for the page, below a path of its own, whose files a test can change as a deployment does.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const kinds: Record<string, string> = { html: "text/html", js: "text/javascript", css: "text/css", json: "application/json", svg: "image/svg+xml" };

/** Build is the page's files by their names. */
export type Build = ReadonlyMap<string, string>;

/** built is the page as it was built. */
export function built(): Build {
  const names = readdirSync(dist).filter((name) => !/\.(br|gz)$/.test(name));
  return new Map(names.map((name) => [name, readFileSync(`${dist}/${name}`, "utf8")]));
}

function sum(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** rebuilt is a build in which words have changed, as a build of other sources would be. */
export function rebuilt(old: Build, changes: [file: string, from: string, to: string][]): Build {
  const files = new Map(old);
  let worker = files.get("sw.js")!;
  const put = (name: string, text: string): void => {
    worker = worker.replace(sum(files.get(name)!), sum(text));
    files.set(name, text);
  };
  for (const [name, from, to] of changes) put(name, files.get(name)!.replaceAll(from, to));
  const page = files.get("index.html")!;
  const [, build = ""] = /name="build" content="(\w+)"/.exec(page)!;
  const next = sum(changes.join()).replace(/\W/g, "").slice(0, 16);
  put("index.html", page.replace(build, next));
  files.set("sw.js", worker.replaceAll(build, next));
  return files;
}

/** Host serves a build below /chat/. */
export class Host {
  /** asked are the paths below /chat/ that were asked for, since a test last emptied it. */
  asked: string[] = [];
  /** scripts are those of them that a page asked for, and no worker. */
  scripts: string[] = [];
  /** fault is how the host fails: it answers as a proxy without its server, or never. */
  fault: "" | "502" | "silent" = "";
  private server: Server | null = null;
  private port = 0;

  constructor(public files: Build, public about: string) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}/chat/`;
  }

  async up(): Promise<void> {
    this.server = createServer((request, response) => {
      const path = new URL(request.url!, this.url).pathname.replace(/^\/chat\//, "");
      this.asked.push(path);
      if (request.headers["sec-fetch-dest"] === "script") this.scripts.push(path);
      const name = path || "index.html";
      const text = name === "confab.json" ? this.about : this.files.get(name);
      if (this.fault === "silent") return;
      response.statusCode = Number(this.fault) || (text === undefined ? 404 : 200);
      response.setHeader("Content-Type", kinds[name.split(".").at(-1)!] ?? "text/plain");
      response.setHeader("Cache-Control", "no-cache");
      response.end(text);
    }).listen(this.port, "127.0.0.1");
    await once(this.server, "listening");
    this.port = (this.server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (!server) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }
}
