// Signing in at an OIDC issuer from the page itself, for static hosts: the authorization code flow with
// PKCE (RFC 7636) of a client without a secret. Fetched only where confab.json names an issuer.
import type { Issuer } from "./server.ts";
import { SignedOutError } from "./session.ts";

/** Held is what the issuer has given, kept as long as the tab: why there, decision 30 says. */
interface Held {
  token: string; // the ID token, which the stage's authorizer verifies
  refresh: string; // "" where none was granted, or it is good no more
  subject: string;
  from: number; // when it came, by this clock
  until: number; // when it ends, by this clock
}

/** Flow is a sign-in that has begun, and where one was. */
interface Flow {
  state: string;
  nonce: string;
  verifier: string;
  silent: boolean;
  hash: string;
}

/** Problem is why somebody is not signed in; detail has the issuer's own words. */
export interface Problem {
  kind: "denied" | "ended" | "refused" | "stale" | "insecure" | "storage" | "issuer" | "unreachable";
  detail?: string;
}

/** Refusal is an answer of the issuer, or a token, that is not good. */
class Refusal extends Error {}

export const limits = {
  renewFrom: 0.3, // the part of a token's life that is left when it is renewed; rotation comes at 8 to 25 %
  idle: 10_000, // nobody has typed for so long: the page may go to the issuer and come back
  steady: 60_000, // a token that lived shorter is not asked for again without a click
  tries: 3, // handshakes without a first welcome after which the stage does not want us
  leaving: 3_000, // how long signing out waits for the refresh token to be revoked
} as const;

let held = recall<Held>("token");
let problem: Problem | null = null;
let taken: Promise<void> | null = null;
let renewing: Promise<void> | null = null;
let askedSilently = false;
let tries = 0;
let channel: BroadcastChannel | null = null;

/** problemNow says why nobody is signed in; null is a first visit. */
export function problemNow(): Problem | null {
  return isSecureContext ? problem : { kind: "insecure" };
}

/**
 * protocols gives what a handshake shows: the name of the sub-protocol and a token that is good for
 * some time. answer is the query that the page was opened with, connects how often the stage has
 * welcomed it. SignedOutError: somebody has to sign in by a click.
 */
export async function protocols(issuer: Issuer, answer: string, connects: number): Promise<string[]> {
  await (taken ??= take(issuer, new URLSearchParams(answer)));
  if (held && (await lasting(issuer, held)) && !unwanted(connects)) return ["confab", held.token];
  throw new SignedOutError("sign in");
}

/** lasting renews a token in time, and tells whether there is one. */
async function lasting(issuer: Issuer, now: Held): Promise<boolean> {
  const left = now.until - Date.now();
  if (left > limits.renewFrom * (now.until - now.from)) return true;
  if (now.refresh) {
    try {
      await (renewing ??= renew(issuer, now).finally(() => (renewing = null)));
      return true;
    } catch (error) {
      if (error instanceof Refusal) hold({ ...now, refresh: "" });
      else if (left <= 0) throw error; // the issuer is away: another try may find it
    }
  }
  if (left > 0) {
    if (!held?.refresh) whenIdle(issuer);
    return true;
  }
  if (!navigator.onLine) throw new Error("offline");
  hold(null);
  problem = { kind: "ended" };
  if (!askedSilently && now.until - now.from > limits.steady) await begin(issuer, true);
  return false;
}

/** unwanted tells whether the stage has refused all handshakes; browsers do not tell pages why. */
function unwanted(connects: number): boolean {
  if (connects > 0 || !navigator.onLine || tries++ < limits.tries) return false;
  problem = { kind: "refused" };
  return true;
}

/** begin leaves for the issuer's page; silently, it comes back at once whatever the issuer says. */
export async function begin(issuer: Issuer, silent = false): Promise<void> {
  if (!isSecureContext) return;
  askedSilently ||= silent;
  const flow: Flow = { state: secret(), nonce: secret(), verifier: secret(), silent, hash: location.hash };
  if (!keep("flow", flow)) {
    problem = { kind: "storage" };
    return;
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.verifier));
  const page = new URL(issuer.authorize);
  const asked = {
    response_type: "code", client_id: issuer.clientId, redirect_uri: home(), scope: issuer.scope,
    state: flow.state, nonce: flow.nonce, code_challenge: encode(new Uint8Array(digest)), code_challenge_method: "S256",
    ...(silent && { prompt: "none" }),
  };
  for (const [name, value] of Object.entries(asked)) page.searchParams.set(name, value);
  if (silent) location.replace(page);
  else location.assign(page);
}

/** signOut forgets the tokens, in all tabs, and leaves for the issuer's own page to sign out on. */
export async function signOut(issuer: Issuer): Promise<void> {
  const refresh = held?.refresh;
  hold(null);
  channel?.postMessage("out");
  if (refresh && issuer.revoke)
    await fetch(issuer.revoke, { // RFC 7009
      method: "POST", signal: AbortSignal.timeout(limits.leaving),
      body: new URLSearchParams({ token: refresh, token_type_hint: "refresh_token", client_id: issuer.clientId }),
    }).catch(() => undefined);
  if (!issuer.leave) return location.assign(home());
  const page = new URL(issuer.leave);
  page.searchParams.set("client_id", issuer.clientId);
  // OpenID Connect RP-Initiated Logout 1.0 has the one, Amazon Cognito the other.
  for (const name of ["post_logout_redirect_uri", "logout_uri"]) page.searchParams.set(name, home());
  location.assign(page);
}

/** home is where the issuer sends people back to: the folder of the page. */
function home(): string {
  return new URL("./", location.origin + location.pathname).href;
}

/** take reads an answer of the issuer, and goes back to where one was. */
async function take(issuer: Issuer, q: URLSearchParams): Promise<void> {
  listen();
  const state = q.get("state");
  if (!state) return;
  const flow = recall<Flow>("flow");
  keep("flow", null);
  if (flow?.state !== state || (q.get("iss") ?? issuer.url) !== issuer.url) { // RFC 9207
    if (!held) problem = { kind: "stale" };
    return;
  }
  askedSilently = flow.silent;
  if (flow.hash) {
    history.replaceState(null, "", flow.hash);
    dispatchEvent(new PopStateEvent("popstate", { state: null }));
  }
  const error = q.get("error");
  if (!error) return exchange(issuer, flow, q.get("code") ?? "");
  if (flow.silent) problem = { kind: "ended" };
  else if (error === "access_denied") problem = { kind: "denied" };
  else problem = { kind: "issuer", detail: q.get("error_description") || error };
}

async function exchange(issuer: Issuer, flow: Flow, code: string): Promise<void> {
  try {
    const got = await ask(issuer, {
      grant_type: "authorization_code", code, redirect_uri: home(), code_verifier: flow.verifier,
    });
    hold(checked(issuer, got, "", flow.nonce));
    askedSilently = false;
  } catch (error) {
    if (error instanceof Refusal) problem = { kind: "issuer", detail: error.message };
    else problem = { kind: "unreachable" };
  }
}

async function renew(issuer: Issuer, now: Held): Promise<void> {
  const got = await ask(issuer, { grant_type: "refresh_token", refresh_token: now.refresh });
  if (held) hold(checked(issuer, { refresh_token: now.refresh, ...got }, now.subject));
}

type Answer = Record<string, unknown>;

/** ask posts to the token endpoint. What the issuer says against it is a Refusal. */
async function ask(issuer: Issuer, form: Record<string, string>): Promise<Answer> {
  const body = new URLSearchParams({ client_id: issuer.clientId, ...form });
  const response = await fetch(issuer.token, { method: "POST", body, cache: "no-store" });
  if (response.status >= 500 || response.status === 429) throw new Error(`the issuer: ${response.status}`);
  const got = (await response.json().catch(() => ({}))) as Answer;
  if (!response.ok) throw new Refusal(String(got.error_description || got.error || response.status));
  return got;
}

/**
 * checked reads an ID token: who made it, for whom, for which sign-in. It came from the issuer itself
 * over TLS, which stands for its signature here (OpenID Connect Core 1.0, section 3.1.3.7); the
 * authorizer verifies that.
 */
function checked(issuer: Issuer, got: Answer, subject: string, nonce?: string): Held {
  const token = String(got.id_token ?? "");
  const c = claims(token);
  const audience = [c.aud].flat();
  if (
    c.iss !== issuer.url || !audience.includes(issuer.clientId) || (c.azp ?? issuer.clientId) !== issuer.clientId
    || typeof c.exp !== "number" || !c.sub || (subject && c.sub !== subject) || (nonce && c.nonce !== nonce)
  ) throw new Refusal("its token is not for this page");
  const now = Date.now();
  // By its own clock, the issuer's, which this one may be far from.
  const life = c.exp * 1_000 - (typeof c.iat === "number" ? c.iat * 1_000 : now);
  return { token, refresh: String(got.refresh_token ?? ""), subject: String(c.sub), from: now, until: now + life };
}

function claims(token: string): Answer {
  try {
    const body = token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (c) => c.charCodeAt(0)))) as Answer;
  } catch {
    return {};
  }
}

/** whenIdle visits the issuer as soon as that takes nothing out of anybody's hands; drafts are kept. */
function whenIdle(issuer: Issuer): void {
  if (askedSilently) return;
  askedSilently = true;
  let touched = Date.now();
  for (const name of ["keydown", "pointerdown", "input"]) addEventListener(name, () => (touched = Date.now()));
  const timer = setInterval(() => {
    if (!navigator.onLine || (!document.hidden && Date.now() - touched < limits.idle)) return;
    clearInterval(timer);
    if (held) void begin(issuer, true);
  }, 1_000);
}

/** listen has this tab sign out with the others. */
function listen(): void {
  channel = new BroadcastChannel("confab.issuer");
  channel.onmessage = () => {
    if (!held) return;
    hold(null);
    location.reload();
  };
}

function hold(value: Held | null): void {
  held = value;
  keep("token", value);
}

function secret(): string {
  return encode(crypto.getRandomValues(new Uint8Array(32)));
}

/** encode writes base64url without padding, as RFC 7636 section 4.2 has it. */
function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function recall<T>(name: string): T | null {
  try {
    return JSON.parse(sessionStorage.getItem(`confab.${name}`) ?? "null") as T | null;
  } catch {
    return null;
  }
}

/** keep tells whether this browser keeps a value as long as the tab; null forgets it. */
function keep(name: string, value: unknown): boolean {
  try {
    if (value === null) sessionStorage.removeItem(`confab.${name}`);
    else sessionStorage.setItem(`confab.${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
