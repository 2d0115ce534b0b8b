/** A name by the rule that people are told; what it leaves out the server checks (docs/protocol.md, Names). */
const rule = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}_.-]*$/u;

/** isName tells whether a user or room may be called so, as far as the page knows. */
export function isName(name: string): boolean {
  return rule.test(name) && new TextEncoder().encode(name.normalize("NFC")).length <= 64;
}
