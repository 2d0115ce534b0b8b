// Runs in a network namespace of its own, whose address is not loopback: for the browser the page is
// no secure context there, as on a LAN without TLS.
import { afterAll, beforeAll, expect, test } from "vitest";
import { complained, composer, eventually, inside, message, say, Server } from "./fixture.ts";
import { passing, stored } from "./signs.ts";

let server: Server;
beforeAll(async () => void (server = await Server.start(["--insecure-http", "--auth", "open"], process.env.CONFAB_LAN)));
afterAll(() => server.stop());

test("without TLS the page works, and says in one sentence what the browser refuses", async () => {
  const alice = await server.page();
  await alice.getByLabel("Your name").fill("alice");
  await alice.keyboard.press("Enter");
  await inside(alice);
  expect(await alice.evaluate(() => isSecureContext)).toBe(false);
  expect(await alice.evaluate(() => typeof navigator.clipboard + typeof crypto.randomUUID)).toBe("undefinedundefined");
  await say(alice, "over the LAN");
  await eventually(() => alice.locator(".message:not(.pending)").count()).toBe(1);
  const bob = await server.person("bob");
  await message(bob, "over the LAN").waitFor();
  await composer(bob).fill("half a draft");
  await eventually(() => stored(bob)).toEqual(["half a draft"]);
  await bob.reload();
  await eventually(() => composer(bob).inputValue()).toBe("half a draft");
  await message(alice, "over the LAN").hover();
  const copy = message(alice, "over the LAN").getByRole("button", { name: "Copy text" });
  await passing(alice.getByText(/^Copied\.|This browser lets pages copy only over HTTPS/).first(), () => copy.click());
  await alice.getByRole("button", { name: /Your menu/ }).click();
  const ask = alice.getByRole("menuitem", { name: "Notify me of mentions and direct messages" });
  const refused = alice.getByText("This browser shows notifications only over HTTPS or on localhost.");
  await passing(refused, () => ask.click());
  await alice.getByRole("button", { name: /Your menu/ }).click();
  await alice.getByRole("menuitem", { name: "Connection" }).click();
  await alice.getByText(/insecure connection/).waitFor();
  await alice.getByText("This browser keeps pages only over HTTPS or on localhost: only while it is open you can write.").waitFor();
  // That the opener policy is ignored without TLS is the browser's own remark.
  expect(complained(alice).filter((c) => !c.includes("Cross-Origin-Opener-Policy"))).toEqual([]);
});
