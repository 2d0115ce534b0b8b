import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { complained, eventually, message, openRoom, say, Server } from "./fixture.ts";
import { sent } from "./signs.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start()));
afterAll(() => server.stop());

describe("what others write", () => {
  test("28 Markdown is shown, HTML is not, and code can be copied", async () => {
    const alice = await server.person("alice", { permissions: ["clipboard-read", "clipboard-write"] });
    await openRoom(alice, "markup");
    await say(alice, "**bold** *soft* ~~gone~~ `code` <b>not bold</b> <img src=x onerror=alert(1)>");
    const text = alice.locator(".message .text").last();
    await text.locator("strong").getByText("bold").waitFor();
    await sent(alice);
    expect(await text.locator("em, s, code").allInnerTexts()).toEqual(["soft", "gone", "code"]);
    expect(await text.locator("b, img").count()).toBe(0);
    expect(await text.innerText()).toContain("<b>not bold</b> <img src=x onerror=alert(1)>");
    await say(alice, "```js\nif (a < b) run();\n```");
    await alice.getByRole("button", { name: "Copy code" }).click();
    await eventually(() => alice.evaluate(() => navigator.clipboard.readText())).toBe("if (a < b) run();");
    await say(alice, "# Title\n> quote\n\n1. first\n2. second\n\n| a | b |\n|---|---|\n| 1 | 2 |");
    await alice.getByText("Title", { exact: true }).waitFor();
    await sent(alice);
    const last = alice.locator(".message .text").last();
    expect(await last.locator("h1").count()).toBe(0);
    expect(await last.locator("th, td").allInnerTexts()).toEqual(["a", "b", "1", "2"]);
    expect(await last.locator("blockquote").innerText()).toBe("quote");
    expect(await last.locator("ol li").allInnerTexts()).toEqual(["first", "second"]);
    expect(complained(alice)).toEqual([]);
  });

  test("29 links open elsewhere, know nothing of the page, and are not fetched", async () => {
    const bob = await server.person("bob");
    await openRoom(bob, "links");
    const asked: string[] = [];
    bob.on("request", (r) => asked.push(r.url()));
    await say(bob, "see https://example.org/a?b=1 and [this](http://example.org/c), not [that](javascript:alert(1)) or [x](data:text/html,x)");
    const row = bob.locator(".message").last();
    await row.locator("a").first().waitFor();
    await sent(bob);
    const links = await row.locator("a").evaluateAll((all) => all.map((a) => [a.getAttribute("href"), a.getAttribute("target"), a.getAttribute("rel")]));
    const rel = "noopener noreferrer nofollow";
    expect(links).toEqual([["https://example.org/a?b=1", "_blank", rel], ["http://example.org/c", "_blank", rel]]);
    expect(await row.innerText()).toContain("[that](javascript:alert(1))");
    await say(bob, "![picture](https://example.org/p.png)");
    await message(bob, "![picture](https://example.org/p.png)").waitFor();
    expect(asked.filter((url) => !url.startsWith(server.url))).toEqual([]);
  });
});
