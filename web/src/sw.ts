// The service worker: with it the page opens without the network. It keeps the files of the page and
// confab.json, nothing of the chat, and answers for nothing else.
//
// Builds are never mixed. A document that comes out of a cache asks for all of its files below
// ./~BUILD/, and those come out of that build's cache alone; a document of a build that is not kept yet
// comes from the network as it is, and so does all it asks for. docs/adr/0033-service-worker.md.

/** FILES are the files of this build with their sums, as integrity has them; the build writes them here. */
declare const FILES: Record<string, string>;
/** BUILD names this build: a sum of all its files. */
declare const BUILD: string;

/** What of a worker's types is used: those of a window are about, and the two do not go together. */
interface Extendable extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface Asked extends Extendable {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
const worker = self as unknown as {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void>; matchAll(which: object): Promise<unknown[]> };
};

const here = new URL("./", location.href);
const prefix = `confab ${here.pathname} `; // one origin may have several pages, each with its own caches
const own = prefix + BUILD;
const told = `${prefix}confab.json`; // what the server last said of itself
const patience = 4_000; // ms for the server to answer, where there is something to show without it
let missedAt = -Infinity; // when it last did not: what a page asks for next need not wait as long again

async function install(): Promise<void> {
  const files = Object.entries(FILES).map(
    ([name, integrity]) => new Request(new URL(name, here), { cache: "no-cache", integrity }),
  );
  const page = await fetch(new URL("index.html", here), { cache: "no-cache" });
  if (buildOf(await page.clone().text()) !== BUILD) throw new Error("the document is of another build");
  const cache = await caches.open(own);
  await cache.addAll(files); // all or none
  await cache.put(new URL("index.html", here), page);
  await (await caches.open(told)).add(new URL("confab.json", here));
  await worker.skipWaiting(); // it serves pages of other builds as well as its own
}

/** buildOf reads which build a document is of. */
function buildOf(text: string): string | undefined {
  return /name="build" content="(\w+)"/.exec(text)?.[1];
}

/** tidy deletes what older builds have left, unless a page is open, which may still want parts of its own. */
async function tidy(): Promise<void> {
  if ((await worker.clients.matchAll({ type: "window", includeUncontrolled: true })).length > 0) return;
  for (const name of await caches.keys()) {
    if (name === own) return; // they come in the order in which they were made: a newer one may be under way
    if (name.startsWith(prefix) && name !== told) await caches.delete(name);
  }
}

/** answer makes one that has no address of its own: what a script imports is looked for beside what was asked. */
function answer(body: BodyInit | null, from: Response): Response {
  const headers = new Headers(from.headers);
  for (const name of ["Content-Encoding", "Content-Length", "ETag"]) headers.delete(name); // of what was sent
  return new Response(body, { headers });
}

/** kept gives a file out of a cache. */
function kept(cacheName: string, name: string): Promise<Response | undefined> {
  return caches.match(new URL(name, here), { cacheName, ignoreVary: true });
}

/** keptPage gives the document of a build that is kept whole; the headers are what the server says now. */
async function keptPage(cacheName: string, fresh?: Response): Promise<Response | undefined> {
  const page = await kept(cacheName, "index.html");
  if (!page) return undefined;
  const text = (await page.text()).replaceAll('="./', `="./~${cacheName.slice(prefix.length)}/`);
  return answer(text, fresh ?? page);
}

/** freshPage gives the document that the server has, with the files of its build where they are kept. */
async function freshPage(fresh: Response): Promise<Response> {
  if (!fresh.ok) return fresh; // also a redirect, as to where people sign in
  const build = buildOf(await fresh.clone().text());
  return (build && (await keptPage(prefix + build, fresh))) || fresh;
}

async function freshAbout(fresh: Response): Promise<Response> {
  if (fresh.ok) await (await caches.open(told)).put(new URL("confab.json", here), fresh.clone());
  return fresh;
}

/** networkFirst asks the server, and without an answer of it takes what is kept. */
async function networkFirst(
  request: Request, answered: (fresh: Response) => Promise<Response>, without: () => Promise<Response | undefined>,
): Promise<Response> {
  const asked = fetch(request).then((fresh) => {
    if (fresh.status >= 500) throw new Error("the server is not there"); // says who stands before it
    return answered(fresh);
  });
  const wait = performance.now() - missedAt < patience ? 0 : patience;
  const late = new Promise<never>((_, reject) => setTimeout(reject, wait));
  try {
    return await Promise.race([asked, late]);
  } catch {
    if (wait) missedAt = performance.now();
    return (await without()) ?? asked;
  }
}

/** answerTo gives the answer to a request, null where that is not the worker's to give. */
function answerTo(request: Request): Promise<Response> | null {
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== here.origin || !pathname.startsWith(here.pathname)) return null;
  const path = pathname.slice(here.pathname.length);
  if (request.mode === "navigate") {
    if (path !== "" && path !== "index.html") return null;
    void tidy();
    return networkFirst(request, freshPage, () => keptPage(own));
  }
  if (path === "confab.json") return networkFirst(request, freshAbout, () => kept(told, path));
  const [, build, name] = /^~(\w+)\/(.+)$/.exec(path) ?? [];
  return build && name ? kept(prefix + build, name).then((file) => (file ? answer(file.body, file) : Response.error())) : null;
}

addEventListener("install", (e) => (e as Extendable).waitUntil(install()));
addEventListener("activate", (e) => (e as Extendable).waitUntil(worker.clients.claim()));
addEventListener("fetch", (e) => {
  const found = answerTo((e as Asked).request);
  if (found) (e as Asked).respondWith(found);
});
