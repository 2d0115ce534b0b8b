// The chat of one user: its session, rooms, outbox and who is here. No framework; views subscribe.
import { Signal, type Clock, type Timer } from "./clock.ts";
import type { Keep } from "./keep.ts";
import { names, same } from "./mentions.ts";
import { Outbox } from "./outbox.ts";
import { Room } from "./room.ts";
import type { Item } from "./runs.ts";
import { RequestError, Session, type Address, type Socket } from "./session.ts";
import type { Cursor, Joined, Message, Person, RoomItem, ServerEvent, Welcome } from "../wire.ts";

export const lobby = "lobby";

export interface ChatOptions {
  address(): Promise<Address>;
  open(address: Address): Socket;
  clock: Clock;
  random(): number;
  keep: Keep;
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
  drafts = new Map<string, string>();
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
  }

  getSnapshot = (): ChatView => {
    this.view ??= {
      me: this.me,
      rooms: [...this.rooms.values()].map((r) => this.info(r)).sort(byKindAndName),
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

  async invite(room: string, user: string): Promise<void> {
    await this.session.request({ action: "invite", room, user });
  }

  /** expel removes somebody from a room, for who made it. */
  async expel(room: string, user: string): Promise<void> {
    await this.session.request({ action: "removeMember", room, user });
  }

  /** callMe says how this user wants to be shown, where user names are verified. */
  async callMe(name: string): Promise<void> {
    await this.session.request({ action: "setName", name });
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
    if (text) this.drafts.set(room, text);
    else this.drafts.delete(room);
    void this.options.keep.putDraft(this.me, room, text);
  }

  /** directory lists all rooms that can be seen: one's own, invitations, public ones. */
  async directory(): Promise<RoomItem[]> {
    const all: RoomItem[] = [];
    for (let after = ""; ; ) {
      const got = await this.session.request({ action: "rooms", after, limit: 200 });
      if (got.event !== "rooms") return all;
      all.push(...got.rooms);
      const end = got.rooms[got.rooms.length - 1];
      if (!got.more || !end || all.length >= 2_000) return all;
      after = end.room;
    }
  }

  async members(room: string): Promise<Person[]> {
    const all: Person[] = [];
    for (let after = ""; ; ) {
      const got = await this.session.request({ action: "members", room, after, limit: 200 });
      if (got.event !== "members") return all;
      all.push(...got.members);
      const end = got.members[got.members.length - 1];
      if (!got.more || !end || all.length >= 2_000) break;
      after = end.user;
    }
    this.here(all);
    return all;
  }

  /** lookAround asks who is here: the lobby announces nobody. */
  async lookAround(): Promise<void> {
    for (let after = "", pages = 0; pages < 5; pages++) {
      const got = await this.session.request({ action: "users", after, limit: 200 });
      if (got.event !== "users") return;
      this.here(got.users);
      const end = got.users[got.users.length - 1];
      if (!got.more || !end) return;
      after = end.user;
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
    if (welcome.rooms.length < listed)
      for (const name of this.rooms.keys()) if (!named.has(name)) this.rooms.delete(name);
    for (const head of welcome.rooms) {
      const room = this.rooms.get(head.room);
      if (room) {
        room.headIs(head);
        room.markRead(head.read);
      } else {
        this.adopt(this.make(head.room, head, head.read));
      }
      this.rooms.get(head.room)?.keptFrom(head.firstSeq ?? 0);
    }
    this.update();
    this.outbox?.flush();
    void this.lookAround().catch(() => undefined);
    void this.lookForInvitations().catch(() => undefined);
  }

  /** begin loads what this browser keeps for the user. */
  private async begin(me: string): Promise<void> {
    const { keep, clock } = this.options;
    this.me = me;
    const outbox = new Outbox({
      owner: me, keep, clock,
      send: (action) => this.session.request(action),
      ready: (n) => this.session.isOpen && n < this.session.pipeline,
      onChange: (target) => this.pendingIn(target),
    });
    this.outbox = outbox;
    this.drafts = await keep.drafts(me).catch(() => new Map());
    await outbox.load().catch(() => undefined);
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
    if (!room && name.startsWith("@") && m.epoch)
      room = this.adopt(this.make(name, { epoch: m.epoch, seq: m.seq - 1 }, m.seq - 1));
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
    for (const user of this.begun.keys()) if (same(user, peer)) this.begun.delete(user);
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
    const room = this.make(joined.room, joined, 0);
    this.markRead(room, joined.seq); // what was said before is not new
    this.adopt(room);
    this.update();
    return room;
  }

  private gone(name: string): void {
    this.rooms.delete(name);
    this.invitations.delete(name);
    this.update();
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
  if (!room.startsWith("@")) return "";
  const [a = "", b = ""] = room.slice(1).split(",");
  return same(a, me) ? b : a;
}

const order = { lobby: 0, room: 1, direct: 2 } as const;

function byKindAndName(a: RoomInfo, b: RoomInfo): number {
  return order[a.kind] - order[b.kind] || a.title.localeCompare(b.title);
}
