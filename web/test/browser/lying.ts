// A server within the page that lets through what the real one never would, and hands in that type in bulk.
import type { Page } from "playwright-core";

/** Event is what a server says; answers have the id of what was asked put in. */
export type Said = { event: string; [member: string]: unknown };

/** Answers are found by an action and its room, "history tea", or else by the action alone. */
export type Answers = Record<string, Said>;

/** lying is what tests have at hand in such a page. */
declare global {
  const lying: {
    say(...events: Said[]): void;
    until(shown: () => boolean): Promise<boolean>; // as soon as it is drawn
    write(field: string, text: string, shown: () => boolean): Promise<boolean>;
  };
}

/** lie puts such a server behind the WebSockets of a page; all that it cannot answer it refuses. */
export function lie(page: Page, answers: Answers): Promise<unknown> {
  return page.addInitScript((known: Answers) => {
    let current: Lying;
    class Lying {
      onopen?: () => void;
      onmessage?: (e: { data: string }) => void;
      onclose?: () => void;

      constructor() {
        current = this;
        setTimeout(() => this.onopen?.());
      }

      send(text: string): void {
        const { action, room, id } = JSON.parse(text) as { action: string; room?: string; id?: string };
        const answer = known[`${action} ${room}`] ?? known[action] ?? { event: "error", code: "forbidden", message: "no" };
        if (id) setTimeout(() => this.onmessage?.({ data: JSON.stringify({ id, ...answer }) }));
      }

      close(): void {} // nothing ends here
    }
    const until = async (shown: () => boolean): Promise<boolean> => {
      for (let i = 0; i < 500 && !shown(); i++) await (i < 10 ? null : new Promise((next) => setTimeout(next)));
      return shown();
    };
    const hands: typeof lying = {
      say: (...events) => events.forEach((e) => current.onmessage?.({ data: JSON.stringify(e) })),
      until,
      write: (name, text, shown) => {
        const field = document.querySelector<HTMLInputElement | HTMLTextAreaElement>(name)!;
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        return until(shown);
      },
    };
    Object.assign(window, { WebSocket: Lying, lying: hands });
  }, answers);
}

/** tell has the server of a page say something. */
export function tell(page: Page, ...events: Said[]): Promise<void> {
  return page.evaluate((all) => lying.say(...all), events);
}

/** unfound types each text into a field, and gives those for which no option shows, or none that has it. */
export function unfound(page: Page, field: string, texts: string[], begin = "", whole = texts): Promise<string[]> {
  return page.evaluate(async ([name, typed, before, wanted]) => {
    const left: string[] = [];
    for (const [i, text] of typed.entries()) {
      const shown = (): boolean =>
        [...document.querySelectorAll("[role=option]")].some((o) => o.textContent!.includes(wanted[i]!));
      if (!(await lying.write(name, before + text, shown))) left.push(text);
    }
    return left;
  }, [field, texts, begin, whole] as const);
}
