// What a browser keeps over reloads: the outbox and drafts in IndexedDB, choices in localStorage.
// Where a browser keeps nothing, as in a private window, all of it lives as long as the page.
import type { Outgoing } from "./rows.ts";

/** Kept is a message to be sent and whose it is. */
export interface Kept extends Outgoing {
  owner: string;
}

/** Keep is where things stay. Writes are best effort: the page works without them. */
export interface Keep {
  outbox(owner: string): Promise<Kept[]>;
  putOutbox(entry: Kept): Promise<void>;
  dropOutbox(id: string): Promise<void>;
  drafts(owner: string): Promise<Map<string, string>>;
  putDraft(owner: string, room: string, text: string): Promise<void>;
}

const stores = ["outbox", "drafts"] as const;

/** openKeep opens the browser's database; prefix tells chats of one origin apart. */
export async function openKeep(prefix = "confab"): Promise<Keep> {
  try {
    return new Database(await open(prefix));
  } catch {
    return new Memory();
  }
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      for (const store of stores) request.result.createObjectStore(store, { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("no database"));
    request.onblocked = () => reject(new Error("the database is in use"));
  });
}

class Database implements Keep {
  constructor(private readonly db: IDBDatabase) {
    db.onversionchange = () => db.close();
  }

  private run<T>(store: string, mode: IDBTransactionMode, use: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const request = use(this.db.transaction(store, mode).objectStore(store));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error("the database failed"));
      if (mode === "readwrite") request.transaction?.commit(); // at once: the page may be about to go
    });
  }

  async outbox(owner: string): Promise<Kept[]> {
    const all = await this.run<Kept[]>("outbox", "readonly", (s) => s.getAll());
    return all.filter((e) => e.owner === owner).sort((a, b) => a.at - b.at);
  }

  async putOutbox(entry: Kept): Promise<void> {
    await this.run("outbox", "readwrite", (s) => s.put(entry)).catch(() => undefined);
  }

  async dropOutbox(id: string): Promise<void> {
    await this.run("outbox", "readwrite", (s) => s.delete(id)).catch(() => undefined);
  }

  async drafts(owner: string): Promise<Map<string, string>> {
    const all = await this.run<{ owner: string; room: string; text: string }[]>(
      "drafts", "readonly", (s) => s.getAll(),
    );
    return new Map(all.filter((d) => d.owner === owner).map((d) => [d.room, d.text]));
  }

  async putDraft(owner: string, room: string, text: string): Promise<void> {
    const id = `${owner}\n${room}`;
    const done = text
      ? this.run<unknown>("drafts", "readwrite", (s) => s.put({ id, owner, room, text }) as IDBRequest)
      : this.run<unknown>("drafts", "readwrite", (s) => s.delete(id) as IDBRequest);
    await done.catch(() => undefined);
  }
}

/** Memory keeps things as long as the page. */
export class Memory implements Keep {
  private entries = new Map<string, Kept>();
  private texts = new Map<string, Map<string, string>>();

  async outbox(owner: string): Promise<Kept[]> {
    return [...this.entries.values()].filter((e) => e.owner === owner).sort((a, b) => a.at - b.at);
  }

  async putOutbox(entry: Kept): Promise<void> {
    this.entries.set(entry.id, { ...entry });
  }

  async dropOutbox(id: string): Promise<void> {
    this.entries.delete(id);
  }

  async drafts(owner: string): Promise<Map<string, string>> {
    return new Map(this.texts.get(owner));
  }

  async putDraft(owner: string, room: string, text: string): Promise<void> {
    const texts = this.texts.get(owner) ?? new Map<string, string>();
    this.texts.set(owner, texts);
    if (text) texts.set(room, text);
    else texts.delete(room);
  }
}

/** choice reads a setting of this browser, or of this tab; "" where there is none. */
export function choice(name: string, of: "localStorage" | "sessionStorage" = "localStorage"): string {
  try {
    return window[of].getItem(`confab.${name}`) ?? "";
  } catch {
    return "";
  }
}

/** choose keeps a setting of this browser; "" forgets it. */
export function choose(name: string, value: string): void {
  try {
    if (value) localStorage.setItem(`confab.${name}`, value);
    else localStorage.removeItem(`confab.${name}`);
  } catch {
    // This browser keeps nothing.
  }
}
