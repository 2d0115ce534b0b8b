/** A message's longest text, in bytes of UTF-8 (docs/protocol.md, Limits). */
export const maxText = 16_384;

/** Characters that no message may have: controls but newline and tab. */
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** tidy makes what was typed or pasted a text that the server takes. */
export function tidy(text: string): string {
  const lines = text.replace(/\r\n?/g, "\n").replace(controls, "");
  return wellFormed(lines).trimEnd();
}

/** bytes counts a text's bytes in UTF-8. */
export function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** wellFormed replaces surrogates without their other half: they cannot be sent. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
}
