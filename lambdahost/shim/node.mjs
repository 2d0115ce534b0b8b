// Runs a Node.js handler on Lambda's Runtime API, as Amazon's runtime interface client does.
import fs from "node:fs";
import http from "node:http";
import module, { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import util from "node:util";
import { resolveSync } from "./resolve.mjs";

const env = process.env;
const require = createRequire(import.meta.url);
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
// From version 24 on there are no callbacks, and nothing waits for an empty event loop.
const modern = Number(/nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV)?.[1]) >= 24;
let requestId; // of the event under way

// fault makes an error with a type of Lambda's own.
function fault(name, message, stack) {
  const error = new Error(message);
  error.name = name;
  error.stack = stack ?? error.stack.replace(/^Error/, name);
  return error;
}

// call calls the Runtime API.
function call(method, name, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host, port, agent, method, path: `/2018-06-01/runtime/${name}`, headers },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200 || response.statusCode === 202) {
            resolve({ headers: response.headers, text });
          } else {
            reject(new Error(`Runtime API: ${name}: ${response.statusCode}: ${text}`));
          }
        });
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

// describe gives whatever was thrown as Lambda's error object.
function describe(error) {
  try {
    if (util.types.isNativeError(error) || error instanceof Error) {
      const trace = error.stack?.split("\n") ?? [];
      return { errorType: error.name, errorMessage: error.message, trace };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    const errorMessage = "callback called with Error argument, but there was a problem while " +
      "retrieving one or more of its message, name, and stack";
    return { errorType: "handled", errorMessage, trace: [] };
  }
}

// report tells an error to the Runtime API.
function report(name, error) {
  const body = describe(error);
  const headers = { "Content-Type": "application/json" };
  if (/^[\x20-\x7e]+$/.test(body.errorType)) {
    headers["Lambda-Runtime-Function-Error-Type"] = body.errorType;
  }
  return call("POST", name, JSON.stringify(body), headers);
}

// log writes a line as Lambda does: time, request id, level and text, with tabs between.
function log(level, ...values) {
  const line = [new Date().toISOString(), requestId, level, util.format(...values)].join("\t");
  fs.writeSync(1, `${line}\n`);
}

// logError writes an error with its own members and its stack.
function logError(title, error) {
  let text;
  try {
    text = JSON.stringify(error, (_, value) => value instanceof Error ? {
      errorType: value.name, errorMessage: value.message, code: value.code, ...value,
      stack: value.stack?.split("\n"),
    } : value);
  } catch {
    text = JSON.stringify(describe(error));
  }
  log("ERROR", `${title} \t${text}`);
}

// endWithHost ends the process when the other end of its standard input is gone.
function endWithHost() {
  const stdin = new net.Socket({ fd: 0, readable: true, writable: false });
  stdin.on("error", () => process.exit(1));
  stdin.on("end", () => process.exit(1));
  stdin.resume();
  stdin.unref();
}

// findModules lets import find what require finds by NODE_PATH.
function findModules() {
  if (!env.NODE_PATH) return;
  if (module.registerHooks) {
    module.registerHooks({ resolve: resolveSync });
  } else {
    module.register?.("./resolve.mjs", import.meta.url);
  }
}

// isModule tells whether the package.json next above a file says that .js files are ES modules.
function isModule(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if (path.basename(folder) === "node_modules") return false;
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, "package.json"))).type === "module";
    } catch (error) {
      if (error.code !== "ENOENT") return false;
    }
    if (folder === path.dirname(folder)) return false;
  }
}

// loadModule loads the file of a handler: extensions are tried in Lambda's order.
async function loadModule(root, folder, name) {
  const file = path.resolve(root, folder, name);
  const load = (url) => import(pathToFileURL(url));
  const esm = fs.existsSync(`${file}.js`) && isModule(`${file}.js`);
  const ways = [["", require], [".js", esm ? load : require], [".mjs", load], [".cjs", require]];
  for (const [extension, way] of ways) {
    const found = fs.statSync(file + extension, { throwIfNoEntry: false });
    if (found?.isFile()) return way(file + extension);
  }
  return require(require.resolve(name, { paths: [root, path.join(root, folder)] }));
}

// findHandler finds the function of folder/module.function.
async function findHandler(root, text) {
  if (text.includes("..")) {
    throw fault("Runtime.MalformedHandlerName", `'${text}' is not a valid handler name. ` +
      "Use absolute paths when specifying root directories in handler names.");
  }
  const base = path.basename(text);
  const dot = base.indexOf(".");
  if (dot < 0) throw fault("Runtime.MalformedHandlerName", "Bad handler");
  let found;
  try {
    found = await loadModule(root, text.slice(0, text.length - base.length), base.slice(0, dot));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw fault("Runtime.UserCodeSyntaxError", String(error), error.stack);
    }
    if (error?.code === "MODULE_NOT_FOUND") {
      throw fault("Runtime.ImportModuleError", String(error));
    }
    throw error;
  }
  for (const name of base.slice(dot + 1).split(".")) found = found?.[name];
  if (!found) throw fault("Runtime.HandlerNotFound", `${text} is undefined or not exported`);
  if (typeof found !== "function") {
    throw fault("Runtime.HandlerNotFound", `${text} is not a function`);
  }
  if (modern && found.length > 2) {
    throw fault("Runtime.CallbackHandlerDeprecated", "ERROR: AWS Lambda has removed support for " +
      "callback-based function handlers starting with Node.js 24. You need to modify this " +
      "function to use a supported handler signature to use Node.js 24 or later. For more " +
      "information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.");
  }
  return found;
}

// contextOf gives what a handler gets beside its event.
function contextOf(headers) {
  const json = (name) => headers[name] && JSON.parse(headers[name]);
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: json("lambda-runtime-client-context"),
    identity: json("lambda-runtime-cognito-identity"),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// runModern runs a handler of version 24 and later: what it returns is the answer.
async function runModern(handler, event, context) {
  try {
    return { result: await handler(event, context) };
  } catch (error) {
    return { failed: true, error };
  }
}

// runClassic runs a handler that may call back. Unless it says otherwise the answer waits until
// the event loop is empty, which is also the answer null of a handler that never calls back.
function runClassic(handler, event, context) {
  return new Promise((resolve) => {
    let waits = true;
    let called = false;
    let onEmpty = () => resolve({ result: null });
    const empty = () => onEmpty();
    const callback = (error, result) => {
      if (called) return;
      called = true;
      const failed = error !== undefined && error !== null;
      const give = () => {
        process.removeListener("beforeExit", empty);
        resolve({ failed, error, result });
      };
      onEmpty = give;
      if (!waits) setImmediate(give);
    };
    const end = (error, result) => {
      waits = false;
      callback(error, result);
    };
    Object.defineProperty(context, "callbackWaitsForEmptyEventLoop", {
      enumerable: true, configurable: true, get: () => waits, set: (value) => { waits = value; },
    });
    context.done = end;
    context.succeed = (result) => end(null, result);
    context.fail = (error) => end(error ?? "handled");
    process.once("beforeExit", empty);
    try {
      const result = handler(event, context, callback);
      if (typeof result?.then === "function") result.then(context.succeed, context.fail);
    } catch (error) {
      context.fail(error);
    }
  });
}

// handle runs the handler on one event and gives its answer to the Runtime API.
async function handle(handler, { headers, text }) {
  requestId = headers["lambda-runtime-aws-request-id"];
  env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  const run = modern ? runModern : runClassic;
  let { failed, error, result } = await run(handler, JSON.parse(text), contextOf(headers));
  let body;
  if (!failed) {
    try {
      body = JSON.stringify(result === undefined ? null : result);
    } catch {
      failed = true;
      error = fault("Runtime.JSONStringifyError", "Unable to stringify response body");
    }
  }
  if (failed) {
    logError("Invoke Error", error);
    await report(`invocation/${requestId}/error`, error);
  } else {
    const headers = { "Content-Type": "application/json" };
    await call("POST", `invocation/${requestId}/response`, body, headers);
  }
}

// abort tells what nobody has caught, and ends the process.
async function abort(title, error, code) {
  logError(title, error);
  try {
    await report(requestId ? `invocation/${requestId}/error` : "init/error", error);
  } finally {
    process.exit(code);
  }
}

function watch() {
  process.on("uncaughtException", (error) => abort("Uncaught Exception", error, 129));
  process.on("unhandledRejection", (reason) => {
    const error = fault("Runtime.UnhandledPromiseRejection", String(reason), reason?.stack);
    error.reason = reason;
    abort("Unhandled Promise Rejection", error, 128);
  });
  const levels = { trace: "TRACE", debug: "DEBUG", info: "INFO", log: "INFO", warn: "WARN" };
  for (const [name, level] of Object.entries({ ...levels, error: "ERROR", fatal: "FATAL" })) {
    console[name] = (...values) => log(level, ...values);
  }
}

async function main() {
  endWithHost();
  watch();
  findModules();
  let handler;
  try {
    handler = await findHandler(env.LAMBDA_TASK_ROOT, env._HANDLER);
  } catch (error) {
    return abort(modern ? "Init Error" : "Uncaught Exception", error, 1);
  }
  for (;;) {
    let event;
    try {
      event = await call("GET", "invocation/next");
    } catch {
      process.exit(1); // the host is gone
    }
    await handle(handler, event);
  }
}

if (modern) await main();
else main();
