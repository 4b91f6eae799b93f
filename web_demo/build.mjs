// Builds the page into site/: static files for any server. Usage: node build.mjs [FOLDER]; site/model/ is left as it is.
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import * as esbuild from "esbuild";
import { wat } from "./wat.mjs";

const site = path.resolve(process.argv[2] ?? "site");
process.chdir(import.meta.dirname);

const common = {
  bundle: true,
  minify: true,
  target: "es2022",
  logLevel: "warning",
  legalComments: "none",
  outdir: site,
  plugins: [wat],
};
// The builds of ONNX Runtime Web that fetch their WebAssembly as files of their own.
const ort = (name) => ({
  alias: { "onnxruntime-web": `onnxruntime-web/${name}` },
  conditions: ["onnxruntime-web-use-extern-wasm"],
});

const RUNTIME = {
  "node_modules/onnxruntime-web/dist": ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify"].flatMap((name) => [
    `${name}.mjs`,
    `${name}.wasm`,
  ]),
  "node_modules/@litertjs/core/wasm": ["", "_compat", "_threaded"].flatMap((kind) => [
    `litert_wasm${kind}_internal.js`,
    `litert_wasm${kind}_internal.wasm`,
  ]),
};

await mkdir(site, { recursive: true });
for (const name of await readdir(site)) if (name !== "model") await rm(path.join(site, name), { recursive: true });
await esbuild.build({
  ...common,
  entryPoints: ["src/lariqa.ts", "src/page/page.ts"],
  entryNames: "[name]",
  format: "esm",
  splitting: true,
});
for (const [name, build] of [
  ["worker", "wasm"],
  ["worker_webgpu", "webgpu"],
]) {
  // A classic script, beside the runtimes' files: LiteRT.js loads its own by importScripts, from where the worker is.
  await esbuild.build({
    ...common,
    ...ort(build),
    entryPoints: { [`runtime/${name}`]: "src/worker.ts" },
    format: "iife",
    supported: { "dynamic-import": true },
  });
}
await cp("static", site, { recursive: true });
for (const [folder, files] of Object.entries(RUNTIME)) {
  for (const file of files) await cp(path.join(folder, file), path.join(site, "runtime", file));
}

// The service worker knows the page's files, and a sum of them: another page is another cache.
const shell = (await readdir(site))
  .filter((name) => !["model", "runtime"].includes(name))
  .concat("runtime/worker.js")
  .sort();
const digest = createHash("sha256");
for (const name of shell) digest.update(name).update(await readFile(path.join(site, name)));
for (const file of Object.values(RUNTIME).flat()) digest.update(await readFile(path.join(site, "runtime", file)));
const define = { VERSION: JSON.stringify(digest.digest("hex").slice(0, 16)), SHELL: JSON.stringify(["./", ...shell]) };
await esbuild.build({ ...common, entryPoints: ["src/service_worker.ts"], format: "iife", define });

const { outputFiles } = await esbuild.build({ entryPoints: ["src/headers.ts"], format: "esm", write: false });
const { HEADERS } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
await writeFile(
  path.join(site, "built.json"),
  JSON.stringify({ version: JSON.parse(define.VERSION), headers: HEADERS }),
);
console.log(`built ${site}`);
