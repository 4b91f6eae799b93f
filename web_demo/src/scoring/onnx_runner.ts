/** An .onnx file in ONNX Runtime Web: on WebAssembly, or on the GPU in the build that has it. */

import * as ort from "onnxruntime-web"; // build.mjs says which of its builds
import type { Artifact } from "../manifest/artifact.ts";
import { Refusal } from "../refusal.ts";
import type { Views } from "../pixels/views.ts";
import { cannotOpen, cannotRun, type OpenRunner, type Run, type Runner } from "./runner.ts";

export const openOnnx: OpenRunner = async (artifact, model, accelerator, threads, runtimeUrl) => {
  const build = accelerator === "webgpu" ? "ort-wasm-simd-threaded.asyncify" : "ort-wasm-simd-threaded";
  ort.env.wasm.wasmPaths = { mjs: `${runtimeUrl}${build}.mjs`, wasm: `${runtimeUrl}${build}.wasm` };
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  const runtime = `ONNX Runtime Web ${ort.env.versions.web ?? ort.env.versions.common}`;
  const options = {
    executionProviders: [accelerator],
    enableMemPattern: false, // a second copy of the activations, for no gain in time (lariqa/runtimes/onnxruntime.py)
  };
  try {
    if (accelerator === "wasm") {
      return new OnnxRunner(artifact, await ort.InferenceSession.create(model, options), runtime, threads, "");
    }
    return await openOnGpu(artifact, model, options, runtime, threads);
  } catch (error) {
    throw cannotOpen(runtime, artifact, error);
  }
};

/** All of it on the GPU; where it lacks an operator, ONNX Runtime is let to run that elsewhere, and it is told. */
async function openOnGpu(
  artifact: Artifact,
  model: Uint8Array<ArrayBuffer>,
  options: ort.InferenceSession.SessionOptions,
  runtime: string,
  threads: number,
): Promise<OnnxRunner> {
  try {
    const whole = { ...options, extra: { session: { disable_cpu_ep_fallback: "1" } } };
    return new OnnxRunner(artifact, await ort.InferenceSession.create(model, whole), runtime, threads, "");
  } catch (error) {
    if (!/fallback to CPU EP has been explicitly disabled/.test(String(error))) throw error;
    const session = await ort.InferenceSession.create(model, options);
    return new OnnxRunner(artifact, session, runtime, threads, "A part of the model runs on WebAssembly.");
  }
}

class OnnxRunner implements Runner {
  constructor(
    private readonly artifact: Artifact,
    private readonly session: ort.InferenceSession,
    readonly runtime: string,
    readonly threads: number,
    readonly fallback: string,
  ) {
    const promised = artifact.inputs
      .map((input) => input.name)
      .sort()
      .join(", ");
    const takes = [...session.inputNames].sort().join(", ");
    if (takes !== promised) {
      throw new Refusal(`${artifact.file} takes the input ${takes}, but lariqa.json says ${promised}; export again`);
    }
  }

  async run(views: Views): Promise<Run> {
    const began = performance.now();
    const feeds: Record<string, ort.Tensor> = {};
    for (const input of this.artifact.inputs) {
      feeds[input.name] = new ort.Tensor("uint8", views[input.name as keyof Views]!, input.shape);
    }
    const fed = performance.now();
    try {
      const output = (await this.session.run(feeds))[this.artifact.output]!;
      const score = Number((await output.getData())[0]);
      output.dispose();
      return { score, bufferMs: fed - began, inferenceMs: performance.now() - fed };
    } catch (error) {
      throw cannotRun(this.runtime, error);
    }
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}
