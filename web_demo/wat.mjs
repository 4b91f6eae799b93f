// esbuild plugin: a .wat file is imported as the bytes of its WebAssembly. Command line: node wat.mjs ENTRY... OUTDIR bundles tests.
import { readFile } from "node:fs/promises";
import * as esbuild from "esbuild";
import wabt from "wabt";

export const wat = {
  name: "wat",
  setup(build) {
    build.onLoad({ filter: /\.wat$/ }, async ({ path }) => {
      const module = (await wabt()).parseWat(path, await readFile(path, "utf8"), { simd: true });
      return { contents: `export default new Uint8Array([${module.toBinary({}).buffer}])`, loader: "js" };
    });
  },
};

if (process.argv[1] === import.meta.filename) {
  const [entryPoints, outdir] = [process.argv.slice(2, -1), process.argv.at(-1)];
  const options = {
    bundle: true,
    platform: "node",
    format: "esm",
    outExtension: { ".js": ".mjs" },
    logLevel: "warning",
  };
  await esbuild.build({ entryPoints, outdir, ...options, plugins: [wat] });
}
