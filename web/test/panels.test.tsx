// What opens over the chat, without a browser: lists to choose from, and the menu.
import { fireEvent, render, screen, waitFor } from "@testing-library/preact";
import type { ComponentChildren } from "preact";
import { useStore } from "zustand";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Chat } from "../src/core/chat.ts";
import { Memory } from "../src/core/keep.ts";
import { HereContext } from "../src/ui/hooks.ts";
import Menu from "../src/ui/menu.tsx";
import { menus, openMenu } from "../src/ui/openMenu.ts";
import { go, ui } from "../src/ui/state.ts";
import { Members } from "../src/views/panels/Members.tsx";
import { Switcher } from "../src/views/panels/Switcher.tsx";
import { FakeClock, settled, Sockets } from "./fakes.ts";

let sockets: Sockets;
let chat: Chat;

beforeEach(async () => {
  sockets = new Sockets();
  chat = new Chat({
    address: async () => ({ url: "ws://h/p", protocols: [] }), open: sockets.open, clock: new FakeClock(), random: () => 0.5,
    keep: new Memory(),
  });
  chat.session.start();
  await settled();
  sockets.last.open();
});

afterEach(() => {
  chat.session.stop();
  vi.restoreAllMocks();
  ui.setState({ panel: "", route: { room: "", seq: null } });
});

/** show draws a view inside the running chat, in a room. */
function show(view: ComponentChildren, room: string): void {
  go(room);
  const server = { version: "", socket: "", auth: "open" as const };
  render(<HereContext.Provider value={{ chat, server, account: null }}>{view}</HereContext.Provider>);
}

const lines = (): (string | null)[] => screen.queryAllByRole("option", { hidden: true }).map((o) => o.querySelector("bdi")!.textContent);
const chosen = (): string | null => document.querySelector("[aria-selected=true] bdi")!.textContent;
const field = (): HTMLElement => screen.getByRole("combobox", { hidden: true });
const press = (key: string): void => void fireEvent.keyDown(field(), { key });
const head = (room: string, seq = 0, read = seq) => ({ room, seq, epoch: "e", read });

describe("the members of a room", () => {
  const people = [["zoe", true], ["bob", false], ["alice", true], ["dan", true]].map(([user, online]) => ({ user, online }));

  test("are listed with their presence, who is here first, and Enter writes to one", async () => {
    sockets.last.welcome({ rooms: [head("lobby"), head("tea")] });
    show(<Members />, "tea");
    screen.getByText("Loading…");
    const { id, room } = sockets.last.last("members");
    expect(room).toBe("tea");
    sockets.last.say({ event: "members", id, room: "tea", members: people, more: false });
    await waitFor(() => expect(lines()).toEqual(["alice", "dan", "zoe", "bob"]));
    screen.getByText("4 members");
    expect(screen.getAllByRole("option", { hidden: true }).map((o) => o.querySelector(".name + small")!.textContent))
      .toEqual(["you", "online", "online", "offline"]);
    fireEvent.input(field(), { target: { value: "BO" } });
    expect(lines()).toEqual(["bob"]);
    press("Enter");
    expect(ui.getState().route.room).toBe("to:bob");
  });
});

describe("the switcher", () => {
  beforeEach(() => sockets.last.welcome({ rooms: [head("lobby"), head("ale"), head("tea", 9, 4), head("@alice,bob")] }));

  test("lists rooms and people, what is unread first; arrows choose around the ends, Enter goes there", async () => {
    show(<Switcher />, "lobby");
    expect(lines()).toEqual(["tea", "ale", "bob", "lobby"]);
    screen.getByText("5 unread messages");
    expect(chosen()).toBe("tea");
    press("ArrowUp");
    expect(chosen()).toBe("lobby");
    expect(field().getAttribute("aria-activedescendant")).toBe("option-3");
    press("ArrowDown");
    press("ArrowDown");
    expect(chosen()).toBe("ale");
    press("End");
    expect(chosen()).toBe("lobby");
    press("Home");
    press("Enter");
    expect(ui.getState().route.room).toBe("tea");
  });

  test("narrows down to what is typed, chooses the first again, and says when nothing fits", async () => {
    sockets.last.say({ event: "presence", room: "lobby", online: ["alina", "bob"], offline: [] });
    show(<Switcher />, "lobby");
    press("End");
    fireEvent.input(field(), { target: { value: "al" } });
    expect(lines()).toEqual(["ale", "alina"]); // neither oneself nor who has a line already
    expect(chosen()).toBe("ale");
    fireEvent.input(field(), { target: { value: "nowhere" } });
    screen.getByText("Nothing found.");
    press("Enter");
    expect(ui.getState().route.room).toBe("lobby");
  });
});

describe("the menu", () => {
  const run = vi.fn();
  let opener: HTMLElement;

  /** open shows a menu of three lines, from a button at a place of a window of 600 × 400. */
  function open(at: { top: number; left: number }): HTMLElement {
    run.mockReset();
    Object.assign(window, { innerWidth: 600, innerHeight: 400 });
    vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(200);
    vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(120);
    const Place = () => {
      const menu = useStore(menus, (s) => s.menu);
      return <><button>open</button>{menu && <Menu menu={menu} />}</>;
    };
    render(<Place />);
    opener = screen.getByText("open");
    opener.getBoundingClientRect = () => ({ ...at, bottom: at.top + 30, right: at.left + 30 }) as DOMRect;
    opener.focus();
    openMenu(opener, "What to do", ["one", "two", "three"].map((label) => ({ label, run: () => run(label) })));
    return opener;
  }
  const menu = (): HTMLElement | null => screen.queryByRole("menu", { hidden: true });
  const key = (name: string): string | null => {
    fireEvent.keyDown(menu()!, { key: name });
    return document.activeElement!.textContent;
  };

  test("has the focus on its first line, arrows move it, Esc closes it and gives the focus back", async () => {
    open({ top: 10, left: 10 });
    await waitFor(() => expect(document.activeElement!.textContent).toBe("one"));
    expect(["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Home", "End"].map(key)).toEqual(
      ["two", "three", "three", "two", "one", "three"]);
    key("Escape");
    await waitFor(() => expect(menu()).toBeNull());
    expect(document.activeElement).toBe(opener);
    expect(run).not.toHaveBeenCalled();
  });

  test("closes with a choice, gives the focus back, and does what was chosen", async () => {
    open({ top: 10, left: 10 });
    await waitFor(() => expect(document.activeElement!.textContent).toBe("one"));
    let focused: Element | null = null; // as it runs: a panel that it opens remembers that
    run.mockImplementation(() => (focused = document.activeElement));
    fireEvent.click(screen.getByText("two"));
    expect(run.mock.calls).toEqual([["two"]]);
    expect(focused).toBe(opener);
    await waitFor(() => expect(menu()).toBeNull());
  });

  test.each([
    ["below what opened it", { top: 10, left: 50 }, "44px", "50px"],
    ["above where there is no room below", { top: 350, left: 50 }, "226px", "50px"],
    ["within the window where there is room for neither", { top: 100, left: 590 }, "134px", "392px"],
    ["at the window's top rather than beyond it", { top: 280, left: 2 }, "156px", "8px"],
  ])("opens %s", async (_, at, top, left) => {
    open(at);
    await waitFor(() => expect(menu()?.style.top).toBe(top));
    expect(menu()!.style.left).toBe(left);
  });
});
