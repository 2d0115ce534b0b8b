// The chat of one user: its session, rooms, outbox and who is here. No framework; views subscribe.
import { Signal, type Clock, type Timer } from "./clock.ts";
import type { Keep } from "./keep.ts";
import { names, same } from "./mentions.ts";
import { Outbox } from "./outbox.ts";
import { Room } from "./room.ts";
import type { Item } from "./runs.ts";
import { RequestError, Session, type Address, type Socket } from "./session.ts";
import type { ClientAction, Cursor, Joined, Message, Person, RoomItem, ServerEvent, Welcome } from "../wire.ts";

export const lobby = "lobby";

export interface ChatOptions {
  address(): Promise<Address>;
  open(address: Address): Socket;
  clock: Clock;
  random(): number;
  keep: Keep;
  /** known is who was here last and in which rooms, for the time before the first welcome. */
  known?: readonly string[];
  /** onKnown is told what known is to be the next time: the user, then rooms. */
  onKnown?(known: string[]): void;
  /** onNews is told of each new message of somebody else, with what makes it one to be called for. */
  onNews?(news: News): void;
}

/** News is a new message that is not this user's own. */
export interface News {
  room: Room;
  item: Item & { kind: "message" };
  direct: boolean;
  mention: boolean;
}

/** RoomInfo is a line of the list of rooms. */
export interface RoomInfo {
  name: string;
  title: string;
  kind: "lobby" | "room" | "direct";
  peer: string; // of a direct room
  unread: number;
  mentions: number; // of a direct room all unread ones
}

/** ChatView is what the frame around a timeline shows. */
export interface ChatView {
  me: string; // "" before the first welcome
  rooms: readonly RoomInfo[];
  invitations: readonly { room: string; by: string }[];
  online: ReadonlySet<string>;
  people: readonly string[];
  names: ReadonlyMap<string, string>; // how users want to be shown beside their user names
}

const listed = 400; // rooms of a welcome; with fewer it is complete (docs/protocol.md, ping)
const cursorsMax = 200;
const readEvery = 400; // ms between two markers of a room
const typingEvery = 5_000; // ms: the server passes on no more
const undoFor = 5_000; // ms to take a deletion back

export class Chat extends Signal {
  readonly session: Session;
  outbox: Outbox | null = null;
  private drafts = new Map<string, string>(); // of rooms; "" is one that was taken away
  private me = "";
  private rooms = new Map<string, Room>();
  private begun = new Map<string, Room>(); // direct rooms without a first message, by the other user
  private invitations = new Map<string, string>();
  private presence = new Map<string, boolean>();
  private names = new Map<string, string>();
  private marking = new Map<string, Timer>();
  private typedAt = new Map<string, number>();
  private view: ChatView | null = null;

  constructor(private readonly options: ChatOptions) {
    super();
    this.session = new Session({
      ...options,
      cursors: () => this.cursors(),
      onEvent: (event) => this.receive(event),
    });
    const [me, ...rooms] = options.known ?? [];
    if (!me) return;
    void this.begin(me);
    // What they hold is not known before the welcome, which puts others in their place.
    for (const name of rooms) this.adopt(this.make(name, { epoch: "", seq: 1 }, 1));
  }

  getSnapshot = (): ChatView => {
    this.view ??= {
      me: this.me,
      rooms: [...this.rooms.values(), ...[...this.begun.values()].filter((r) => this.outbox?.of(r.name).length)]
        .map((r) => this.info(r)).sort(byKindAndName),
      invitations: [...this.invitations].map(([room, by]) => ({ room, by })),
      online: new Set([...this.presence].filter(([, here]) => here).map(([user]) => user)),
      names: new Map(this.names),
      people: [...this.presence.keys()].sort((a, b) => a.localeCompare(b)),
    };
    return this.view;
  };

  room(name: string): Room | undefined {
    return this.rooms.get(name);
  }

  /** direct gives the room shared with a user; before the first message it is one without a log. */
  direct(user: string): Room {
    for (const [name, room] of this.rooms) if (same(peerOf(name, this.me), user)) return room;
    let room = this.begun.get(user);
    if (!room) {
      room = this.make(`to:${user}`, { epoch: "", seq: 0 }, 0);
      this.begun.set(user, room);
    }
    return room;
  }

  /** send puts a message on its way. */
  send(room: Room, text: string): void {
    const to = room.name.startsWith("to:") ? { to: room.name.slice(3) } : { room: room.name };
    this.outbox?.add(to, text);
  }

  async join(name: string, isPrivate = false): Promise<Room> {
    const action = { action: "joinRoom", room: name, ...(isPrivate ? { private: true } : {}) } as const;
    const joined = (await this.session.request(action)) as Joined;
    return this.joined(joined);
  }

  async leave(name: string): Promise<void> {
    await this.session.request({ action: "leaveRoom", room: name });
    this.gone(name);
  }

  /** remove deletes a message after the time to undo is over. */
  remove(room: Room, seq: number, failed: (error: RequestError) => void): void {
    room.later(seq, undoFor, () => {
      this.session.request({ action: "deleteMessage", room: room.name, seq }).then(
        () => room.deleted(seq),
        (error: RequestError) => {
          room.keep(seq);
          failed(error);
        },
      );
    });
  }

  /** markRead says how far this user has seen a room; it is told to the other devices. */
  markRead(room: Room, seq: number): void {
    if (seq <= room.read || room.name.startsWith("to:")) return;
    room.markRead(seq);
    if (this.marking.has(room.name)) return;
    this.marking.set(room.name, this.options.clock.after(readEvery, () => {
      this.marking.delete(room.name);
      this.session.post({ action: "read", room: room.name, seq: room.read });
    }));
  }

  /** typingIn tells a room that this user writes, as often as that is passed on. */
  typingIn(room: Room): void {
    const now = this.options.clock.now();
    if (room.name.startsWith("to:") || now - (this.typedAt.get(room.name) ?? 0) < typingEvery) return;
    this.typedAt.set(room.name, now);
    this.session.post({ action: "typing", room: room.name });
  }

  draft(room: string): string {
    return this.drafts.get(room) ?? "";
  }

  setDraft(room: string, text: string): void {
    this.drafts.set(room, text);
    void this.options.keep.putDraft(this.me, room, text);
  }

  /** directory lists all rooms that can be seen: one's own, invitations, public ones. */
  directory(): Promise<RoomItem[]> {
    return this.list<RoomItem>({ action: "rooms" }, "rooms", "room", 2_000);
  }

  async members(room: string): Promise<Person[]> {
    const all = await this.list<Person>({ action: "members", room }, "members", "user", 2_000);
    this.here(all);
    return all;
  }

  /** lookAround asks who is here: the lobby announces nobody. */
  async lookAround(): Promise<void> {
    this.here(await this.list<Person>({ action: "users" }, "users", "user", 1_000));
  }

  /** list asks for page after page: of which member of the answer, and after which of its names the next. */
  private async list<T>(action: ClientAction, of: string, name: keyof T, most: number): Promise<T[]> {
    const all: T[] = [];
    for (let after: unknown = ""; ; after = all[all.length - 1]?.[name]) {
      const got: object = await this.session.request({ ...action, after, limit: 200 } as ClientAction);
      const { more, [of]: page } = got as Record<string, unknown>;
      const before = all.push(...(page as T[])) - (page as T[]).length;
      if (!more || all.length === before || all.length >= most) return all;
    }
  }

  /** lookForInvitations asks for what came while nobody was connected. */
  async lookForInvitations(): Promise<void> {
    const all = await this.directory();
    this.invitations = new Map(all.filter((r) => r.invited).map((r) => [r.room, r.by ?? ""]));
    this.update();
  }

  private here(people: Person[]): void {
    for (const { user, online, name } of people) {
      this.presence.set(user, online);
      if (name) this.names.set(user, name);
    }
    this.update();
  }

  private cursors(): Record<string, Cursor> {
    const rooms = [...this.rooms.values()].filter((r) => r.epoch).slice(0, cursorsMax);
    return Object.fromEntries(rooms.map((r) => [r.name, r.cursor]));
  }

  private receive(event: ServerEvent): void {
    switch (event.event) {
      case "welcome":
        return this.welcomed(event);
      case "message":
        return this.message(event);
      case "pong":
        for (const head of event.rooms) this.rooms.get(head.room)?.headIs(head);
        return;
      case "resumed":
        return this.rooms.get(event.room)?.resumed(event.seq, event.more);
      case "reset": {
        const room = this.rooms.get(event.room);
        const known = room?.epoch === event.epoch ? room.head : 0;
        return room?.reset(event.epoch, event.firstSeq, known);
      }
      case "resync": {
        const room = this.rooms.get(event.room);
        return room?.headIs({ epoch: room.epoch, seq: event.seq });
      }
      case "deleted":
        return this.rooms.get(event.room)?.deleted(event.seq);
      case "read":
        return this.rooms.get(event.room)?.markRead(event.seq);
      case "typing":
        return this.rooms.get(event.room)?.typing(event.user);
      case "joined":
        return void this.joined(event);
      case "left":
      case "removed":
        return this.gone(event.room);
      case "invited":
        if (same(event.user, this.me)) this.invitations.set(event.room, event.by);
        return this.update();
      case "profile":
        if (event.name) this.names.set(event.user, event.name);
        else this.names.delete(event.user);
        return this.update();
      case "presence":
        this.here(event.online.map((user) => ({ user, online: true })));
        return this.here(event.offline.map((user) => ({ user, online: false })));
      default: // answers, which who asked gets
    }
  }

  private welcomed(welcome: Welcome): void {
    if (this.me !== welcome.user) void this.begin(welcome.user);
    if (welcome.name) this.names.set(welcome.user, welcome.name);
    const named = new Set(welcome.rooms.map((r) => r.room));
    for (const [name, room] of this.rooms)
      if (!named.has(name) && (welcome.rooms.length < listed || !room.epoch)) this.rooms.delete(name);
    for (const head of welcome.rooms) {
      const room = this.rooms.get(head.room);
      if (room?.epoch) {
        room.headIs(head);
        room.markRead(head.read);
      } else {
        this.adopt(this.make(head.room, head, head.read));
      }
      this.rooms.get(head.room)?.keptFrom(head.firstSeq ?? 0);
    }
    this.know();
    this.outbox?.flush();
    void this.lookAround().catch(() => undefined);
    void this.lookForInvitations().catch(() => undefined);
  }

  /** begin loads what this browser keeps for the user. */
  private async begin(me: string): Promise<void> {
    const { keep, clock } = this.options;
    if (this.me) for (const of of [this.rooms, this.begun, this.invitations]) of.clear(); // somebody else's
    this.me = me;
    const outbox = new Outbox({
      owner: me, keep, clock,
      send: (action) => this.session.request(action),
      ready: (n) => this.outbox === outbox && this.session.isOpen && n < this.session.pipeline,
      onChange: (target) => this.pendingIn(target),
    });
    this.outbox = outbox;
    this.drafts = new Map();
    const kept = await keep.drafts(me).catch(() => this.drafts);
    if (this.me !== me) return;
    this.drafts = new Map([...kept, ...this.drafts]); // what has been written meanwhile is newer
    await outbox.load().catch(() => undefined);
    this.update();
  }

  /** know hands on what is known of this user for the next time. */
  private know(): void {
    this.options.onKnown?.([this.me, ...this.rooms.keys()]);
    this.update();
  }

  private pendingIn(target: string): void {
    const room = target.startsWith("to:") ? this.direct(target.slice(3)) : this.rooms.get(target);
    if (!room) return;
    const peer = peerOf(room.name, this.me); // what was begun before the room had an id
    room.pending(this.outbox?.of(room.name, `to:${peer}`) ?? []);
    this.update();
  }

  private message(m: { event: "message" } & Message): void {
    const name = m.room ?? "";
    let room = this.rooms.get(name);
    if (!room && name.startsWith("@") && m.epoch) {
      room = this.adopt(this.make(name, { epoch: m.epoch, seq: m.seq - 1 }, m.seq - 1));
      this.know();
    }
    if (room) room.receive(m);
    if (m.from === this.me && m.id) this.outbox?.stored(m.id);
    if (m.duplicate && m.id) this.outbox?.stored(m.id);
    if (room) this.update();
  }

  private make(name: string, head: Cursor, read: number): Room {
    return new Room(name, head, read, {
      me: this.me,
      clock: this.options.clock,
      fetch: async (q) => {
        const got = await this.session.request({ action: "history", ...q });
        if (got.event !== "history") throw new RequestError("internal", "no history");
        return got;
      },
      onMessage: (r, item) => this.news(r, item),
    });
  }

  /** adopt takes a room into the list. */
  private adopt(room: Room): Room {
    const peer = peerOf(room.name, this.me);
    for (const [user, { name }] of this.begun) {
      if (!same(user, peer)) continue;
      this.begun.delete(user);
      if (this.draft(name)) this.setDraft(room.name, this.draft(name)); // one has written on
      this.setDraft(name, "");
    }
    this.rooms.set(room.name, room);
    this.invitations.delete(room.name);
    let unread = -1;
    room.subscribe(() => {
      const now = room.unread * 1_000 + Math.min(999, room.mentions);
      if (now !== unread) this.update();
      unread = now;
    });
    this.pendingIn(room.name);
    if (room.unread > 0) void room.loadUnread();
    return room;
  }

  private joined(joined: Joined): Room {
    const known = this.rooms.get(joined.room);
    if (known) return known;
    const room = this.make(joined.room, joined, joined.seq); // what was said before is not new
    if (joined.seq > 0) this.session.post({ action: "read", room: joined.room, seq: joined.seq });
    this.adopt(room);
    this.know();
    return room;
  }

  private gone(name: string): void {
    this.rooms.delete(name);
    this.invitations.delete(name);
    this.know();
  }

  private news(room: Room, item: Item & { kind: "message" }): void {
    this.presence.set(item.from, this.presence.get(item.from) ?? true);
    if (item.from === this.me) {
      if (room.read === item.seq - 1) this.markRead(room, item.seq);
      return;
    }
    if (item.seq <= room.read) return;
    const direct = room.name.startsWith("@");
    this.options.onNews?.({ room, item, direct, mention: names(item.text, this.me) });
  }

  private info(room: Room): RoomInfo {
    const peer = peerOf(room.name, this.me);
    const kind = room.name === lobby ? "lobby" : peer ? "direct" : "room";
    const { unread } = room;
    return {
      name: room.name, title: peer || room.name, kind, peer, unread,
      mentions: kind === "direct" ? unread : room.mentions,
    };
  }

  private update(): void {
    this.view = null;
    this.changed();
  }
}

/** peerOf gives the other user of a direct room, "" for other rooms; with oneself it is oneself. */
export function peerOf(room: string, me: string): string {
  if (room.startsWith("to:")) return room.slice(3);
  if (!room.startsWith("@")) return "";
  const [a = "", b = ""] = room.slice(1).split(",");
  return same(a, me) ? b : a;
}

const order = { lobby: 0, room: 1, direct: 2 } as const;

function byKindAndName(a: RoomInfo, b: RoomInfo): number {
  return order[a.kind] - order[b.kind] || a.title.localeCompare(b.title);
}
