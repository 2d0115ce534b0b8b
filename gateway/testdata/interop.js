// What a WebSocket client sees of the interop server, by the standard interface alone, so that it
// runs in Node.js and in browsers: interop(WebSocket, URL) gives what came of each step.
async function interop(WebSocket, url) {
  const said = {};

  // open gives a connection whose events are awaited one by one.
  async function open(...protocols) {
    const ws = new WebSocket(url, protocols);
    const events = [], waiting = [];
    const put = (event) => (waiting.length ? waiting.shift()(event) : events.push(event));
    const next = () => (events.length ? events.shift() : new Promise((take) => waiting.push(take)));
    ws.onopen = () => put("open");
    ws.onmessage = (e) => put(e.data);
    ws.onerror = () => put("failed");
    ws.onclose = (e) => put(`closed ${e.code} ${JSON.stringify(e.reason)} clean=${e.wasClean}`);
    const first = await next();
    if (first !== "open") throw new Error(first);
    return { ws, next };
  }

  async function step(name, act) {
    try {
      said[name] = await act();
    } catch (error) {
      said[name] = String(error);
    }
  }

  await step("protocol", async () => {
    const { ws, next } = await open("chat.v1", "chat.v2");
    ws.close(1000);
    await next();
    return `${ws.protocol}, extensions ${JSON.stringify(ws.extensions)}`;
  });

  await step("echo", async () => {
    const { ws, next } = await open();
    for (const text of ["", "κόσμε \u{1f469}", ..."1,125,126,127,1000,32767,32768".split(",").map((n) => "x".repeat(n))]) {
      ws.send(text);
      const back = await next();
      if (back !== text) return `${text.length} sent, ${back.length} back: ${back.slice(0, 100)}`;
    }
    ws.close(1000);
    await next();
    return "same";
  });

  await step("give", async () => {
    const { ws, next } = await open();
    for (const n of [0, 32769, 65535, 65536, 131072]) {
      ws.send(`give ${n}`);
      const back = await next();
      if (back !== "y".repeat(n)) return `${n} wanted, ${back.length} came: ${back.slice(0, 100)}`;
    }
    ws.close(1000);
    await next();
    return "same";
  });

  await step("server closes", async () => {
    const { ws, next } = await open();
    ws.send("close 4001 why not, κόσμε");
    return await next();
  });

  await step("client closes", async () => {
    const { ws, next } = await open();
    ws.close(4321, "bye, κόσμε");
    return await next();
  });

  await step("client closes without a code", async () => {
    const { ws, next } = await open();
    ws.close();
    return await next();
  });

  await step("binary", async () => {
    const { ws, next } = await open();
    ws.send(new Uint8Array([1, 2, 3]));
    return await next();
  });

  await step("too long", async () => { // for one frame, and nobody here sends fragments on its own
    const { ws, next } = await open();
    ws.send("x".repeat(32769));
    return await next();
  });

  await step("silence", async () => { // only its pongs say that it is there
    const { ws, next } = await open();
    ws.send("wait");
    const text = await next();
    ws.close(1000);
    await next();
    return text;
  });

  return said;
}

if (typeof module === "object") module.exports = { interop };
