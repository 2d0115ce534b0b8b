import { p } from "panel-strings";

// What stands in a User-Agent (RFC 9110, section 10.1.5), and what people call it. The first that fits
// counts: browsers name those that they are like after or before themselves.
const browsers = {
  Edg: "Edge", OPR: "Opera", SamsungBrowser: "Samsung Internet", Firefox: "Firefox", FxiOS: "Firefox",
  Chrome: "Chrome", CriOS: "Chrome", Safari: "Safari",
};
const systems = {
  iPhone: "iPhone", iPad: "iPad", Android: "Android", Windows: "Windows", "Mac OS X": "Mac",
  CrOS: "ChromeOS", Linux: "Linux",
};

/** deviceName shortens what a browser says of itself to what it is; other programs say that already. */
export function deviceName(agent: string): string {
  const first = (names: Record<string, string>): string =>
    Object.entries(names).find(([word]) => agent.includes(word))?.[1] ?? "";
  const [browser, system] = [first(browsers), first(systems)];
  return agent.startsWith("Mozilla/") && browser && system ? p.devices.browser(browser, system) : agent;
}
