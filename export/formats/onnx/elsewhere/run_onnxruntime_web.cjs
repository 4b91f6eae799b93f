// ONNX Runtime Web: the WebAssembly build that browsers run, here in Node.
const fs = require("node:fs");
const { answer } = require("../../../other_runtimes/child.cjs");

answer(async (asked, from) => {
  const ort = from("onnxruntime-web");
  ort.env.wasm.numThreads = asked.threads;
  const session = await ort.InferenceSession.create(fs.readFileSync(asked.model), { executionProviders: ["wasm"] });
  return {
    version: ort.env.versions.web ?? ort.env.versions.common,
    threads: ort.env.wasm.numThreads,
    async run(inputs) {
      const fed = {};
      for (const [name, [kind, numbers, shape]] of Object.entries(inputs)) fed[name] = new ort.Tensor(kind, numbers, shape);
      return (await session.run(fed)).score.data;
    },
  };
});
