// LiteRT.js in headless Chromium, on WebAssembly or WebGPU; the page has its files from this process, over loopback.
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { answer } = require("../../../other_runtimes/child.cjs");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" }; // threads
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">
  {"imports": {"@litertjs/wasm-utils": "/packages/@litertjs/wasm-utils/dist/index.js"}}</script>`;
// Where there is no GPU, Chromium computes on its software one.
const GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

function chromium() {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("which", [name], { encoding: "utf8" }).trim();
    } catch {} // the next one
  }
  throw new Error("no Chromium here; install the package chromium, or Chrome");
}

function served(packages, model, inputs) {
  const open = (url) => {
    if (url === "/") return [".html", PAGE];
    if (url === "/model") return ["", fs.readFileSync(model)];
    if (url.startsWith("/input/")) return ["", inputs.get(url.slice(7))];
    const file = path.join(packages, path.normalize(url.replace("/packages/", "/")));
    return [path.extname(file), fs.readFileSync(file)];
  };
  const server = http.createServer((request, response) => {
    try {
      const [kind, body] = open(request.url);
      response.writeHead(200, { ...ISOLATED, "Content-Type": TYPES[kind] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(server)));
}

// In the page.
async function openInPage(accelerator, threads) {
  const { loadLiteRt, loadAndCompile, Tensor } = await import("/packages/@litertjs/core/dist/index.js");
  const wasm = accelerator === "wasm";
  // Without jspi an operator that the GPU does not take moves the whole model to WebAssembly.
  await loadLiteRt("/packages/@litertjs/core/wasm/", wasm ? { threads: threads > 1 } : { jspi: true });
  const model = await loadAndCompile("/model", wasm ? { accelerator, cpuOptions: { numThreads: threads } } : { accelerator });
  globalThis.scoreOf = async (shapes) => {
    const fed = {};
    for (const [name, [kind, shape]] of Object.entries(shapes)) {
      const bytes = await (await fetch(`/input/${name}`)).arrayBuffer();
      fed[name] = new Tensor(kind === "float32" ? new Float32Array(bytes) : new Uint8Array(bytes), shape);
    }
    const began = performance.now();
    const [output] = Object.values(await model.run(fed));
    const scores = Array.from(await output.data());
    return { scores, seconds: (performance.now() - began) / 1000 };
  };
  return model.isFullyAccelerated;
}

answer(async (asked, from) => {
  const { accelerator } = asked.options;
  const inputs = new Map();
  const packages = path.resolve(path.dirname(from.resolve("@litertjs/core")), "../../..");
  const server = await served(packages, asked.model, inputs);
  const browser = await from("puppeteer-core").launch({
    executablePath: chromium(),
    args: ["--no-sandbox", ...(accelerator === "webgpu" ? GPU : [])],
    userDataDir: path.join(asked.folder, `chromium-${process.pid}`),
    protocolTimeout: 300_000,
  });
  const page = await browser.newPage();
  let left = null;
  page.on("console", (message) => {
    const found = /remaining (\d+) operations will run on the CPU/.exec(message.text());
    if (found) left = Number(found[1]);
    console.error(message.text());
  });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const whole = await page.evaluate(openInPage, accelerator, asked.threads);
  const core = JSON.parse(fs.readFileSync(path.join(packages, "@litertjs/core/package.json")));
  return {
    version: `${core.version}, ${await browser.version()}`,
    threads: accelerator === "wasm" ? asked.threads : 0,
    onCpu: accelerator === "wasm" ? null : whole ? 0 : left,
    async run(given) {
      const shapes = {};
      for (const [name, [kind, numbers, shape]] of Object.entries(given)) {
        inputs.set(name, Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength));
        shapes[name] = [kind, shape];
      }
      return page.evaluate((asked) => globalThis.scoreOf(asked), shapes);
    },
  };
});
