import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("README.md lists 40 behaviours, and each is in the name of a test in a browser", () => {
  const listed = [...readFileSync("README.md", "utf8").matchAll(/^(\d+)\. /gm)].map((m) => Number(m[1]));
  expect(listed).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  const sources = readdirSync("test/browser").map((name) => readFileSync(`test/browser/${name}`, "utf8")).join("\n");
  const names = [...sources.matchAll(/^ *test(?:\.each\([^\n]*\))?\("([^"]+)"/gm)].map((m) => m[1]!);
  const tested = new Set(names.flatMap((name) => [...name.matchAll(/(?:^|, )(\d+) /g)].map((m) => Number(m[1]))));
  expect(listed.filter((n) => !tested.has(n))).toEqual([]);
});
