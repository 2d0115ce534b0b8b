// What a client may say.

const MAX_LENGTH = 4000; // characters of a message

// A frame is "name: message" on one line. A name has no colon, no blank and no markup, and a message
// no line break, so that nobody can write a line that looks like another's.
const isName = (text) => /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]{0,31}$/u.test(text);
const isLine = (text) =>
  text.trim() !== "" && text.length <= MAX_LENGTH && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);

const nameRule = { holds: isName, words: "must be 1 to 32 letters, digits, . _ or -" };
const rules = {
  name: nameRule,
  to: nameRule,
  message: { holds: isLine, words: `must be a line of 1 to ${MAX_LENGTH} characters` },
};

const members = { setName: ["name"], sendPublic: ["message"], sendPrivate: ["to", "message"] };

/** Gives the members of a request that its action has, or an error in words for the client. */
export function parse(action, body) {
  if (!Object.hasOwn(members, action)) return { request: {} };
  const sent = JSON.parse(body); // an object: API Gateway has read its action
  const request = {};
  for (const member of members[action]) {
    const value = sent[member];
    if (typeof value !== "string" || !rules[member].holds(value.normalize())) {
      return { error: `${member} ${rules[member].words}` };
    }
    request[member] = value.normalize();
  }
  return { request };
}
