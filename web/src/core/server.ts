// What the server that the page comes from says of itself, and signing in over HTTP.
import { SignedOutError, type Address } from "./session.ts";

/** About is confab.json: beside the page, made by `confab serve` or by hand on a static host. */
export interface About {
  version: string;
  /** socket is where to connect: a path of this origin, or a wss address. */
  socket: string;
  /**
   * auth says who comes in: anybody by any name, by a link, whom a proxy knows, whom an issuer does by way
   * of the server, or who shows an issuer's token to a stage.
   */
  auth: "open" | "link" | "proxy" | "oidc" | "token";
  /** signIn leads to the issuer of the server. */
  signIn?: string;
  /** issuer gives tokens to the page itself. */
  issuer?: Issuer;
  /** notice is a sentence that people should know. */
  notice?: string;
}

/** Issuer is where people sign in from a page on a static host, as `confab page` has read it. */
export interface Issuer {
  url: string;
  clientId: string;
  scope: string;
  authorize: string;
  token: string;
  leave?: string;
  revoke?: string;
}

/** answer is what an issuer sends back with somebody; it leaves the address before anything else happens. */
const answer = location.search;
if (answer) history.replaceState(null, "", location.pathname + location.hash);

/** about asks what runs here. */
export async function about(): Promise<About> {
  const response = await fetch(new URL("./confab.json", document.baseURI));
  if (!response.ok) throw new Error(`confab.json: ${response.status}`);
  return (await response.json()) as About;
}

/** DeskError is what the server says against a request. */
export class DeskError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** ask posts to the server's desk, or without a body gets. */
export async function ask<T>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(`/auth/${path}`, body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as T & { error?: string };
  if (!response.ok) throw new DeskError(response.status, answer.error ?? response.statusText);
  return answer;
}

/** Me is who is signed in. */
export interface Me {
  handle: string;
  owner: boolean;
  device?: string;
}

/** addressFor says where to connect: in open mode by a name, with accounts by a ticket, on a stage by a token. */
export async function addressFor(server: About, name: string, connects: number): Promise<Address> {
  const url = new URL(server.socket, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  if (server.auth === "open") {
    if (name) url.searchParams.set("name", name);
    return { url: url.href, protocols: [] };
  }
  if (server.issuer)
    return { url: url.href, protocols: await (await import("./issuer.ts")).protocols(server.issuer, answer, connects) };
  if (server.auth === "proxy") return { url: url.href, protocols: [] };
  try {
    const { ticket } = await ask<{ ticket: string }>("ticket", {});
    return { url: url.href, protocols: ["confab", ticket] };
  } catch (error) {
    if (error instanceof DeskError && error.status === 401) throw new SignedOutError(error.message);
    throw error;
  }
}
