// Views without a browser: what they show and do, on a server and a clock that tests turn by hand.
import { fireEvent, render, screen, within } from "@testing-library/preact";
import type { ComponentChildren } from "preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Chat } from "../src/core/chat.ts";
import { Memory } from "../src/core/keep.ts";
import type { Row } from "../src/core/rows.ts";
import { HereContext } from "../src/ui/hooks.ts";
import { loadRich, Markdown } from "../src/ui/markdown.tsx";
import { arrows } from "../src/ui/roving.ts";
import { Banner } from "../src/views/Banner.tsx";
import { Composer } from "../src/views/Composer.tsx";
import { RowView } from "../src/views/Rows.tsx";
import { FakeClock, settled, Sockets } from "./fakes.ts";

let clock: FakeClock;
let sockets: Sockets;
let chat: Chat;

beforeEach(async () => {
  clock = new FakeClock();
  sockets = new Sockets();
  chat = new Chat({
    address: async () => ({ url: "ws://h/p", protocols: [] }), open: sockets.open, clock, random: () => 0.5, keep: new Memory(),
  });
  chat.session.start();
  await settled();
  sockets.last.open();
  sockets.last.welcome();
  await settled();
});

afterEach(() => {
  chat.session.stop();
  vi.useRealTimers();
});

const shown = () => ({ room: chat.room("lobby")!, title: "lobby", kind: "lobby" as const, peer: "" });

/** show draws a view inside the running chat. */
function show(view: ComponentChildren): void {
  const server = { version: "", socket: "", auth: "open" as const };
  render(<HereContext.Provider value={{ chat, server, account: null }}>{view}</HereContext.Provider>);
}

function row(given: Row): void {
  show(<RowView row={given} shown={shown()} tabbable marked={false} onFocus={() => undefined} />);
}

const said = { type: "message", key: "s:1", seq: 1, id: "i1", from: "bob", text: "hello", at: 0, grouped: false, mine: false, undo: false } as const;
const entry = { id: "m1", room: "lobby", text: "mine", at: 0, state: "waiting" as const };

describe("rows", () => {
  test("a message has its author and time; a grouped one has no heading; only one's own can be deleted", () => {
    row(said);
    screen.getByRole("button", { name: /bob/ });
    expect(screen.getAllByText("hello")).toHaveLength(1);
    expect(screen.queryByRole("button", { name: "Delete" })).toBeNull();
    row({ ...said, grouped: true, mine: true, text: "again" });
    const second = screen.getByText("again").closest("article")!;
    expect(second.className).toContain("grouped");
    expect(second.querySelector(".author")).toBeNull();
    within(second).getByRole("button", { name: "Delete" });
  });

  test("a message on its way is marked so, a failed one says why, with Retry and Delete", () => {
    row({ type: "pending", key: "m:m1", entry, grouped: false });
    expect(screen.getByText("mine").closest("article")!.className).toContain("pending");
    expect(screen.queryByRole("alert")).toBeNull();
    const retry = vi.spyOn(chat.outbox!, "retry").mockReturnValue(undefined);
    const drop = vi.spyOn(chat.outbox!, "drop").mockReturnValue(undefined);
    row({ type: "pending", key: "m:m2", entry: { ...entry, id: "m2", text: "lost", state: "failed", error: "not a member" }, grouped: false });
    expect(screen.getByRole("alert").textContent).toContain("Not sent: not a member");
    screen.getByText("lost");
    fireEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(retry).toHaveBeenCalledWith("m2");
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    expect(drop).toHaveBeenCalledWith("m2");
  });

  test("a deleted message is a tombstone, one that will be has an undo", () => {
    row({ type: "deleted", key: "s:1", seq: 1 });
    screen.getByText("Message deleted");
    const keep = vi.spyOn(chat.room("lobby")!, "keep");
    row({ ...said, mine: true, undo: true });
    expect(screen.queryByText("hello")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Undo" }));
    expect(keep).toHaveBeenCalledWith(1);
  });
});

describe("the composer", () => {
  const field = (): HTMLTextAreaElement => screen.getByRole("textbox");
  const type = (value: string): void => void fireEvent.input(field(), { target: { value } });

  test("sends with Enter, and not with Shift, an input method, or nothing to send", () => {
    const send = vi.spyOn(chat, "send");
    show(<Composer shown={shown()} />);
    fireEvent.keyDown(field(), { key: "Enter" });
    type("  \n ");
    fireEvent.keyDown(field(), { key: "Enter" });
    type("hi");
    fireEvent.keyDown(field(), { key: "Enter", shiftKey: true });
    fireEvent.keyDown(field(), { key: "Enter", isComposing: true });
    fireEvent.keyDown(field(), { key: "Enter", keyCode: 229 });
    expect(send).not.toHaveBeenCalled();
    fireEvent.keyDown(field(), { key: "Enter" });
    expect(send.mock.calls.map(([, text]) => text)).toEqual(["hi"]);
    expect(field().value).toBe("");
    expect(chat.draft("lobby")).toBe("");
  });

  test("completes a name, and what is typed next comes behind it", async () => {
    sockets.last.say({ event: "presence", room: "lobby", online: ["bob"], offline: [] });
    show(<Composer shown={shown()} />);
    type("@bo, look");
    field().setSelectionRange(3, 3);
    fireEvent.input(field());
    fireEvent.keyDown(field(), { key: "Enter" });
    expect(field().value).toBe("@bob , look");
    expect([field().selectionStart, field().selectionEnd]).toEqual([5, 5]);
  });

  test("says how much a text is too long, and does not send it", () => {
    const send = vi.spyOn(chat, "send");
    show(<Composer shown={shown()} />);
    type("ä".repeat(8_193)); // 16,386 bytes in UTF-8, of 16,384
    expect(screen.getByRole("alert").textContent).toBe("2 bytes too long");
    fireEvent.keyDown(field(), { key: "Enter" });
    expect(send).not.toHaveBeenCalled();
  });
});

describe("the banner", () => {
  /** pass turns both clocks: the chat's, and the one by which the view counts. */
  const pass = async (ms: number): Promise<void> => {
    for (; ms > 0; ms -= 50) {
      vi.advanceTimersByTime(50);
      await clock.turn(50);
    }
  };

  test("comes after a second without a connection, counts down, and goes", async () => {
    vi.useFakeTimers({ now: clock.now(), toFake: ["Date", "setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
    show(<Banner />);
    sockets.last.end(); // half of the longest delay: 0.5 s, then 1 s, 2 s
    await pass(600);
    sockets.last.end();
    await pass(350);
    expect(screen.queryByText("No connection.")).toBeNull();
    await pass(750);
    screen.getByText("No connection.");
    sockets.last.end();
    await pass(250);
    screen.getByText("Trying again in 2 seconds.");
    screen.getByRole("button", { name: "Try now" });
    await pass(1_000);
    screen.getByText("Trying again in 1 second.");
    await pass(1_000);
    screen.getByText("Trying again…");
    expect(screen.queryByRole("button", { name: "Try now" })).toBeNull();
    sockets.last.open();
    sockets.last.welcome();
    await pass(250);
    expect(screen.queryByText("No connection.")).toBeNull();
  });

  test("counts what waits to be sent, and offers to reload a page that the server does not understand", async () => {
    vi.useFakeTimers({ now: clock.now(), toFake: ["Date", "setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
    show(<Banner />);
    sockets.last.end();
    chat.send(chat.room("lobby")!, "later");
    await pass(1_500);
    screen.getByText("1 message waits to be sent.");
    const reload = vi.spyOn(location, "reload").mockReturnValue(undefined);
    sockets.last.end(1002);
    await pass(250);
    expect(screen.queryByText("No connection.")).toBeNull();
    fireEvent.click(within(screen.getByRole("alert")).getByRole("button", { name: "Reload" }));
    expect(reload).toHaveBeenCalledOnce();
  });
});

describe("Markdown", () => {
  const html = async (text: string): Promise<string> => {
    await loadRich();
    const { container } = render(<Markdown text={text} me="alice" />);
    return container.querySelector(".text")!.innerHTML;
  };

  test("makes elements of what is on the list", async () => {
    expect(await html("**b** *i* ~~s~~ `c`")).toBe("<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>");
    expect(await html("# T")).toBe('<p class="heading">T</p>');
    expect(await html("@alice and @bob")).toBe('<p><span class="mention mine">@alice</span> and <span class="mention">@bob</span></p>');
    expect(await html("3. a\n4. b")).toContain('<ol start="3">');
  });

  test("makes a table of one, with what is in its cells, and scrolls it by the keyboard too", async () => {
    expect(await html("| a | b |\n|--:|---|\n| **1** | <b>x</b> |")).toBe(
      '<div class="table" tabindex="0" role="group" aria-label="Table"><table><thead><tr><th class="right">a</th><th>b</th></tr></thead>'
      + '<tbody><tr><td class="right"><strong>1</strong></td><td>&lt;b&gt;x&lt;/b&gt;</td></tr></tbody></table></div>');
  });

  test("leaves a table of more than 1,000 cells alone, which 16 KB could make into millions", async () => {
    const text = (rows: number): string => `|${"a|".repeat(99)}\n|${"-|".repeat(99)}\n${"|\n".repeat(rows)}`;
    expect(await html(text(3))).toContain("<table>");
    expect(await html(text(100))).not.toContain("<table>");
  });

  test("leaves the rest the text that it was", async () => {
    for (const text of ["<b>x</b>", "![p](https://example.org/p.png)", "[x](javascript:alert(1))", "| a | b |"]) {
      await loadRich();
      const { container } = render(<Markdown text={text} me="" />);
      expect(container.querySelector("b, img, a, table")).toBeNull();
      expect(container.textContent).toBe(text);
    }
  });
});

test("arrow keys move the focus in a list and stop at its ends", () => {
  render(
    <div data-testid="list" onKeyDown={(e) => void arrows(e, "button")}>
      {["one", "two", "three"].map((name) => <button key={name}>{name}</button>)}
    </div>,
  );
  const press = (key: string): string => {
    fireEvent.keyDown(screen.getByTestId("list"), { key });
    return document.activeElement!.textContent!;
  };
  expect(["ArrowDown", "ArrowDown", "End", "ArrowDown", "ArrowUp", "Home", "ArrowUp"].map(press)).toEqual(
    ["one", "two", "three", "three", "two", "one", "one"]);
});
