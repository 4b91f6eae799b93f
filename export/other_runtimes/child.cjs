// The protocol of child.py for runtimes of JavaScript; started by `process` as: node run_NAME.cjs ENVIRONMENT
//
// A script calls answer(open). open(asked, from) gets the first question and a require() of its own packages, and
// returns {version, threads, onCpu, run}: run(inputs) gets {name: [kind, numbers, shape]} and returns the scores, or {scores,
// seconds} where the run alone is timed elsewhere; onCpu is how many operators an accelerator left to the CPU, where the
// runtime says it.
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const { createRequire } = require("node:module");

const say = (line) => fs.writeSync(1, JSON.stringify(line) + "\n");
console.log = console.error; // what a library prints must not stand among the answers

// What NumPy's savez writes: a zip of .npy files that are stored, not compressed, in C order.
function arrays(file) {
  const data = fs.readFileSync(file);
  const found = {};
  let end = data.length - 22;
  while (data.readUInt32LE(end) !== 0x06054b50) end -= 1; // the end of the zip's directory
  let entry = data.readUInt32LE(end + 16);
  for (let left = data.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameLength = data.readUInt16LE(entry + 28);
    const name = data.toString("utf8", entry + 46, entry + 46 + nameLength).replace(/\.npy$/, "");
    const local = data.readUInt32LE(entry + 42);
    const npy = local + 30 + data.readUInt16LE(local + 26) + data.readUInt16LE(local + 28);
    const headerLength = data.readUInt16LE(npy + 8);
    const header = data.toString("latin1", npy + 10, npy + 10 + headerLength);
    const shape = header.match(/'shape': \(([^)]*)\)/)[1].split(",").filter((side) => side.trim()).map(Number);
    const size = shape.reduce((product, side) => product * side, 1);
    const start = npy + 10 + headerLength;
    const [, kind] = header.match(/'descr': '([^']*)'/);
    if (!(kind in { "|u1": 1, "<f4": 1 })) throw new Error(`no such numbers here: ${kind}`);
    const bytes = new Uint8Array(data.subarray(start, start + size * (kind === "<f4" ? 4 : 1))); // a copy, aligned
    found[name] = kind === "<f4" ? ["float32", new Float32Array(bytes.buffer), shape] : ["uint8", bytes, shape];
    entry += 46 + nameLength + data.readUInt16LE(entry + 30) + data.readUInt16LE(entry + 32);
  }
  return found;
}

async function answerAll(open) {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const asked = JSON.parse((await lines.next()).value);
  const { version, threads, onCpu, run } = await open(asked, createRequire(path.join(process.argv[2], "here.js")));
  say({ version, threads, on_cpu: onCpu ?? null });
  for (;;) {
    const { value, done } = await lines.next();
    if (done) break;
    const inputs = arrays(JSON.parse(value).inputs);
    const began = performance.now();
    const found = await run(inputs);
    const seconds = found.seconds ?? (performance.now() - began) / 1000;
    say({ scores: Array.from(found.scores ?? found), seconds });
  }
}

exports.answer = (open) =>
  answerAll(open)
    .then(() => process.exit(0)) // its threads would keep the process
    .catch((error) => {
      say({ refused: `${error.name}: ${String(error.message).split(/\s+/).join(" ")}` });
      process.exit(0);
    });
