// Signing in at an issuer that these tests play, on their clock.
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Issuer } from "../src/core/server.ts";

const issuer: Issuer = {
  url: "https://issuer.example/pool", clientId: "page", scope: "openid", authorize: "https://login.example/authorize?x=1",
  token: "https://login.example/token", leave: "https://login.example/leave", revoke: "https://login.example/revoke",
};

const hour = 3_600_000;
let gone: URL[]; // pages that this one has left for
let posts: { url: string; form: Record<string, string> }[];
let answers: (() => Response | Promise<Response>)[];

/** claims are those of a token for the page that is good for an hour. */
function claims(more: Record<string, unknown> = {}): Record<string, unknown> {
  const iat = Math.floor(Date.now() / 1_000);
  return { iss: issuer.url, aud: "page", sub: "s-1", nonce: flow().nonce, iat, exp: iat + 3_600, ...more };
}

function flow(): Record<string, string> {
  return JSON.parse(sessionStorage.getItem("confab.flow") ?? "{}") as Record<string, string>;
}

function token(c: Record<string, unknown>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(c)}.c2ln`;
}

function gives(c: Record<string, unknown>, more: Record<string, unknown> = {}): () => Response {
  const body = JSON.stringify({ id_token: token(c), ...more });
  return () => new Response(body);
}

/** load is the page opened anew in this tab. */
async function load(): Promise<typeof import("../src/core/issuer.ts")> {
  vi.resetModules();
  return import("../src/core/issuer.ts");
}

type Module = Awaited<ReturnType<typeof load>>;

/** signedIn is somebody who has just come back with a token. */
async function signedIn(more: Record<string, unknown> = {}, c: Record<string, unknown> = {}): Promise<Module> {
  await (await load()).begin(issuer);
  answers.push(gives(claims(c), more));
  const module = await load();
  await module.protocols(issuer, `?code=c-1&state=${flow().state}`, 0);
  return module;
}

/** why gives the problem after a try that ends signed out. */
async function why(module: Module, answer = "", connects = 0): Promise<unknown> {
  await expect(module.protocols(issuer, answer, connects)).rejects.toMatchObject({ message: "sign in" });
  return module.problemNow();
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 21, 12) });
  gone = [];
  posts = [];
  answers = [];
  sessionStorage.clear();
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("BroadcastChannel", class {
    postMessage(): void {} // pages of other tests are no tabs of this one
  });
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(true);
  const leave = (to: string | URL): void => void gone.push(new URL(to));
  vi.spyOn(location, "assign").mockImplementation(leave);
  vi.spyOn(location, "replace").mockImplementation(leave);
  vi.stubGlobal("fetch", async (url: string, init: { body: URLSearchParams }) => {
    posts.push({ url, form: Object.fromEntries(init.body) });
    const answer = answers.shift();
    if (!answer) throw new TypeError("no network");
    return answer();
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("signing in", () => {
  test("goes to the issuer with a challenge, and posts the verifier with the code", async () => {
    await (await load()).begin(issuer);
    const { state, nonce, verifier } = flow() as { state: string; nonce: string; verifier: string };
    for (const secret of [state, nonce, verifier]) expect(secret).toMatch(/^[\w-]{43}$/); // RFC 7636, section 4.1
    expect(new Set([state, nonce, verifier]).size).toBe(3);
    const home = new URL("./", location.origin + location.pathname).href;
    expect(gone[0]!.origin + gone[0]!.pathname).toBe("https://login.example/authorize");
    expect(Object.fromEntries(gone[0]!.searchParams)).toEqual({
      x: "1", response_type: "code", client_id: "page", redirect_uri: home, scope: "openid", state, nonce,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
    });
    const shown = token(claims());
    answers.push(gives(claims()));
    const back = await load();
    expect(await back.protocols(issuer, `?code=c-1&state=${state}`, 0)).toEqual(["confab", shown]);
    expect(posts).toEqual([{
      url: issuer.token,
      form: { client_id: "page", grant_type: "authorization_code", code: "c-1", redirect_uri: home, code_verifier: verifier },
    }]);
    expect(sessionStorage.getItem("confab.flow")).toBeNull();
    expect(await (await load()).protocols(issuer, "", 0)).toEqual(["confab", shown]); // a reload
  });

  test.each([
    ["another issuer's", { iss: "https://issuer.example" }],
    ["for another client", { aud: "other" }],
    ["for others too, by another", { aud: ["page", "other"], azp: "other" }],
    ["of another sign-in", { nonce: "n" }],
    ["of nobody", { sub: "" }],
    ["without end", { exp: "soon" }],
  ])("refuses a token that is %s", async (_, more) => {
    await (await load()).begin(issuer);
    answers.push(gives(claims(more)));
    const back = await load();
    expect(await why(back, `?code=c-1&state=${flow().state}`)).toMatchObject({ kind: "issuer" });
    expect(sessionStorage.getItem("confab.token")).toBeNull();
  });

  test("refuses an answer that it has not asked for, or that is another issuer's", async () => {
    await (await load()).begin(issuer);
    expect(await why(await load(), "?code=c-1&state=other")).toEqual({ kind: "stale" });
    await (await load()).begin(issuer);
    const answer = `?code=c-1&state=${flow().state}&iss=https%3A%2F%2Fevil.example`; // RFC 9207
    expect(await why(await load(), answer)).toEqual({ kind: "stale" });
    expect(posts).toEqual([]);
  });

  test("says what the issuer says, and when it does not answer", async () => {
    for (const [answer, want] of [
      [new Response('{"error":"invalid_grant"}', { status: 400 }), { kind: "issuer", detail: "invalid_grant" }],
      [new Response("<h1>busy</h1>", { status: 503 }), { kind: "unreachable" }],
    ] as const) {
      await (await load()).begin(issuer);
      answers.push(() => answer);
      expect(await why(await load(), `?code=c-1&state=${flow().state}`)).toEqual(want);
    }
  });

  test("needs HTTPS, and a browser that keeps something", async () => {
    const module = await load();
    const setItem = (): void => {
      throw new DOMException("no", "QuotaExceededError");
    };
    vi.stubGlobal("sessionStorage", { getItem: () => null, setItem });
    await module.begin(issuer);
    expect(module.problemNow()).toEqual({ kind: "storage" });
    vi.stubGlobal("isSecureContext", false);
    await module.begin(issuer);
    expect(module.problemNow()).toEqual({ kind: "insecure" });
    expect(gone).toEqual([]);
  });
});

describe("renewing", () => {
  test("happens once, before the end, by the refresh token, whose successor is kept", async () => {
    const module = await signedIn({ refresh_token: "r-1" });
    vi.setSystemTime(Date.now() + 0.69 * hour);
    await module.protocols(issuer, "", 1);
    expect(posts).toHaveLength(1);
    vi.setSystemTime(Date.now() + 0.02 * hour);
    const next = claims({ nonce: undefined });
    answers.push(gives(next, { refresh_token: "r-2" }));
    const both = await Promise.all([module.protocols(issuer, "", 1), module.protocols(issuer, "", 1)]);
    expect(both).toEqual([["confab", token(next)], ["confab", token(next)]]);
    expect(posts.slice(1)).toEqual([
      { url: issuer.token, form: { client_id: "page", grant_type: "refresh_token", refresh_token: "r-1" } },
    ]);
    vi.setSystemTime(Date.now() + 0.9 * hour);
    answers.push(gives(claims()));
    await module.protocols(issuer, "", 1);
    expect(posts[2]!.form).toMatchObject({ refresh_token: "r-2" });
  });

  test("goes by the token's own life where this clock is wrong", async () => {
    const iat = 1_000_000_000; // years ago
    const module = await signedIn({ refresh_token: "r-1" }, { iat, exp: iat + 3_600 });
    vi.setSystemTime(Date.now() + 0.6 * hour);
    await module.protocols(issuer, "", 1);
    expect(posts).toHaveLength(1);
  });

  test("never takes a token of somebody else", async () => {
    const module = await signedIn({ refresh_token: "r-1" });
    vi.setSystemTime(Date.now() + 0.8 * hour);
    const old = JSON.parse(sessionStorage.getItem("confab.token")!) as { token: string };
    answers.push(gives(claims({ sub: "s-2" })));
    expect(await module.protocols(issuer, "", 1)).toEqual(["confab", old.token]);
  });

  test("goes on with the old token while the issuer is away, and tries again", async () => {
    const module = await signedIn({ refresh_token: "r-1" });
    vi.setSystemTime(Date.now() + 0.9 * hour);
    expect((await module.protocols(issuer, "", 1))[0]).toBe("confab");
    vi.setSystemTime(Date.now() + 0.2 * hour);
    await expect(module.protocols(issuer, "", 1)).rejects.toThrow("no network"); // not: sign in
    answers.push(gives(claims()));
    expect((await module.protocols(issuer, "", 1))[0]).toBe("confab");
  });

  test("without a refresh token visits the issuer once nobody has typed for ten seconds", async () => {
    const module = await signedIn();
    vi.setSystemTime(Date.now() + 0.8 * hour);
    gone = [];
    await module.protocols(issuer, "", 1);
    for (let i = 0; i < 4; i++) {
      await vi.advanceTimersByTimeAsync(9_000);
      dispatchEvent(new Event("keydown"));
    }
    expect(gone).toEqual([]);
    await vi.advanceTimersByTimeAsync(11_000);
    await vi.waitFor(() => expect(gone).toHaveLength(1));
    expect(gone[0]!.searchParams.get("prompt")).toBe("none");
    const back = await load(); // the issuer does not know them any more
    await back.protocols(issuer, `?error=login_required&state=${flow().state}`, 0);
    vi.setSystemTime(Date.now() + 0.3 * hour);
    expect(await why(back, "", 1)).toEqual({ kind: "ended" });
    expect(gone).toHaveLength(1); // it is not asked again and again
  });

  test("does not run in circles where tokens are over at once", async () => {
    await (await load()).begin(issuer);
    gone = [];
    answers.push(gives(claims({ exp: Math.floor(Date.now() / 1_000) })));
    expect(await why(await load(), `?code=c-1&state=${flow().state}`)).toEqual({ kind: "ended" });
    expect(gone).toEqual([]);
  });
});

describe("a stage that takes no connection", () => {
  test("is told of after three handshakes before the first welcome, never offline or later", async () => {
    const module = await signedIn();
    for (let i = 0; i < 2; i++) await module.protocols(issuer, "", 0); // signing in was the first
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    for (let i = 0; i < 9; i++) await module.protocols(issuer, "", 0);
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(true);
    for (let i = 0; i < 9; i++) await module.protocols(issuer, "", 1);
    expect(await why(module)).toEqual({ kind: "refused" });
  });
});

describe("signing out", () => {
  test("forgets, revokes, and leaves for the issuer's page without the token", async () => {
    const module = await signedIn({ refresh_token: "r-1" });
    gone = [];
    answers.push(() => new Response(""));
    await module.signOut(issuer);
    expect(sessionStorage.length).toBe(0);
    expect(posts[1]).toEqual({
      url: issuer.revoke, form: { token: "r-1", token_type_hint: "refresh_token", client_id: "page" },
    });
    const home = new URL("./", location.origin + location.pathname).href;
    expect(Object.fromEntries(gone[0]!.searchParams)).toEqual({
      client_id: "page", post_logout_redirect_uri: home, logout_uri: home,
    });
    expect(await why(module)).toBeNull();
  });
});
