// Loaded before a Node.js function: TLS connections to AWS hosts open at the gate of confab run, as if
// it were the host. Everything that speaks TLS in Node.js, AWS's clients too, comes by tls.connect.
"use strict";

const tls = require("node:tls");
const { syncBuiltinESMExports } = require("node:module");

const [host, port] = process.env.CONFAB_GATE.split(":");
const hosts = new RegExp(process.env.CONFAB_GATE_HOSTS, "i");
const connect = tls.connect;

/** Makes one object of tls.connect's forms: (options), (port, host, options); null for a path. */
function asOptions(args) {
  const rest = [...args];
  if (rest[0] !== null && typeof rest[0] === "object") return { ...rest[0] };
  if (typeof rest[0] === "string" && !/^\d+$/.test(rest[0])) return null;
  const options = { port: rest.shift() };
  if (typeof rest[0] === "string") options.host = rest.shift();
  return { ...options, ...(typeof rest[0] === "object" ? rest[0] : {}) };
}

tls.connect = function (...args) {
  const options = asOptions(args);
  const wanted = options && !options.socket && !options.path && options.host;
  if (typeof wanted !== "string" || !hosts.test(wanted)) return connect.apply(this, args);
  const callback = args.find((arg) => typeof arg === "function");
  const changed = { ...options, host, port: Number(port), servername: options.servername || wanted };
  return connect.call(this, changed, callback);
};
syncBuiltinESMExports();
