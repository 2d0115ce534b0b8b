// Finds packages that are imported in the folders of NODE_PATH, as Lambda's Node.js runtimes do.
import path from "node:path";
import { pathToFileURL } from "node:url";

// Beside each folder node_modules stands who imports from there.
const places = (process.env.NODE_PATH ?? "").split(path.delimiter)
  .filter((folder) => path.basename(folder) === "node_modules")
  .map((folder) => pathToFileURL(path.join(path.dirname(folder), "index.mjs")).href);

const missing = (error, specifier) =>
  error?.code === "ERR_MODULE_NOT_FOUND" && !/^(\.{0,2}\/|[a-z]+:)/.test(specifier);

// resolveSync is a hook for module.registerHooks.
export function resolveSync(specifier, context, next) {
  try {
    return next(specifier, context);
  } catch (error) {
    if (!missing(error, specifier)) throw error;
    for (const parentURL of places) {
      try {
        return next(specifier, { ...context, parentURL });
      } catch { /* the next folder may have it */ }
    }
    throw error;
  }
}

// resolve is a hook for module.register.
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!missing(error, specifier)) throw error;
    for (const parentURL of places) {
      try {
        return await next(specifier, { ...context, parentURL });
      } catch { /* the next folder may have it */ }
    }
    throw error;
  }
}
