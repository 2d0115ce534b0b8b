// Texts that people read in what is fetched when it is wanted: they are no part of the chat's core.

/** quoted is what somebody else has written, no longer than a sentence. */
function quoted(text: string): string {
  return `“${text.length > 200 ? `${text.slice(0, 200)}…` : text}”`;
}

export const later = {
  issuer: {
    title: "Come in",
    lead: (host: string) => `You sign in at ${host} and come back here.`,
    go: "Sign in",
    again: "Sign in again",
    retry: "Try again",
    problems: {
      denied: () => "You were not let in where you signed in, or turned back there.",
      ended: () => "Your sign-in has ended. Sign in again and go on: what you wrote is kept.",
      refused: () => "The chat takes no connection from here. It may not accept your account, or the address of "
        + "this page, or it may be away.",
      stale: () => "That sign-in was begun elsewhere, or too long ago.",
      insecure: () => "Browsers let pages sign people in only over HTTPS or on localhost: open the https address.",
      storage: () => "This browser lets the page keep nothing, and without that nobody can be signed in.",
      issuer: (detail: string) => `You could not be signed in: ${quoted(detail)}`,
      unreachable: () => "Signing in did not work: no answer came. Try again.",
    },
  },
} as const;
