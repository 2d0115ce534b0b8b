import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const smallest = 1_000; // bytes from which on packing pays

const packers = [
  {
    suffix: ".br",
    pack: (b: Buffer) => brotliCompressSync(b, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: b.length } }),
    unpack: brotliDecompressSync,
  },
  { suffix: ".gz", pack: (b: Buffer) => gzipSync(b, { level: 9 }), unpack: gunzipSync },
];

/** holds tells whether a packed file is of these very bytes: another version of zlib packs otherwise. */
function holds(file: string, unpack: (b: Buffer) => Buffer, body: Buffer): boolean {
  try {
    return unpack(readFileSync(file)).equals(body);
  } catch {
    return false;
  }
}

/** compress packs what was built, and takes away what is built no more. */
export function compress(): Plugin {
  let out = "dist";
  return {
    name: "confab-compress",
    apply: "build",
    configResolved(config) {
      out = join(config.root, config.build.outDir);
    },
    writeBundle(_, bundle) {
      const keep = new Set([...Object.keys(bundle), "icon.svg"]);
      for (const name of [...keep]) {
        const file = join(out, name);
        if (!existsSync(file)) continue;
        const body = readFileSync(file);
        if (body.length < smallest) continue;
        for (const { suffix, pack, unpack } of packers) {
          keep.add(name + suffix);
          if (!holds(file + suffix, unpack, body)) writeFileSync(file + suffix, pack(body));
        }
      }
      for (const name of readdirSync(out)) if (!keep.has(name)) rmSync(join(out, name));
    },
  };
}
