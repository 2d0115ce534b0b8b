// Runs interop.js in Node.js: interop.cjs IMPLEMENTATION URL, where the implementation is "own", which
// older versions of Node.js have as the package undici only, or "ws".
const { interop } = require("./interop.js");

const [implementation, url] = process.argv.slice(2);

// further is what the package ws can do and the standard interface cannot.
async function further(WebSocket) {
  const ws = new WebSocket(url);
  const event = (name) => new Promise((take) => ws.once(name, (...values) => take(values)));
  await event("open");
  const said = {};
  const payload = "from ws, κόσμε";
  const answered = event("pong");
  ws.ping(payload);
  said.pong = String((await answered)[0]) === payload ? "same" : "different";
  said.fragments = "same";
  for (const n of [0, 1, 32769, 65536, 131072]) {
    const text = "z".repeat(n);
    const answered = event("message");
    for (let i = 0; i < n; i += 30000) ws.send(text.slice(i, i + 30000), { fin: false });
    ws.send("", { fin: true });
    if (String((await answered)[0]) !== text) said.fragments = `${n} are different`;
  }
  const closed = event("close");
  for (let i = 0; i < 3; i++) ws.send("x".repeat(32768), { fin: false });
  ws.send("x".repeat(32769), { fin: true }); // one too many
  const [code, reason] = await closed;
  said["too long in fragments"] = `closed ${code} ${reason}`;
  return said;
}

(async () => {
  const WebSocket = implementation === "ws" ? require("ws") : globalThis.WebSocket ?? require("undici").WebSocket;
  const said = await interop(WebSocket, url);
  if (implementation === "ws") Object.assign(said, await further(WebSocket));
  console.log(JSON.stringify(said));
})();
