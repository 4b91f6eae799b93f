/** A .tflite file in LiteRT.js, on WebAssembly. */

import { type CompiledModel, loadAndCompile, loadLiteRt, supportsFeature, Tensor } from "@litertjs/core";
import litert from "@litertjs/core/package.json";
import type { Artifact } from "../manifest/artifact.ts";
import { Refusal } from "../refusal.ts";
import type { Views } from "../pixels/views.ts";
import { cannotOpen, cannotRun, type OpenRunner, type Run, type Runner } from "./runner.ts";

const RUNTIME = `LiteRT.js ${litert.version}`;

export const openLiteRt: OpenRunner = async (artifact, model, accelerator, threads, runtimeUrl) => {
  if (accelerator !== "wasm") {
    // Nearly a third of the operators fall back to WebAssembly there without an error (docs/experiments).
    throw new Refusal(
      `${RUNTIME} runs a part of ${artifact.file} outside of ${accelerator}; choose WASM, or the .onnx file`,
    );
  }
  try {
    threads = (await supportsFeature("relaxedSimd")) ? threads : 1; // its build with threads needs that
    // Told nothing, it would start this worker's own script as its threads, and wait for them without end.
    const script = `${runtimeUrl}litert_wasm_threaded_internal.js`;
    (globalThis as { Module?: object | undefined }).Module = threads > 1 ? { mainScriptUrlOrBlob: script } : undefined;
    await loadLiteRt(runtimeUrl, { threads: threads > 1 });
    const compiled = await loadAndCompile(model, {
      accelerator: "wasm",
      ...(threads > 1 && { cpuOptions: { numThreads: threads } }),
    });
    return new LiteRtRunner(artifact, compiled, threads);
  } catch (error) {
    throw cannotOpen(RUNTIME, artifact, error);
  }
};

class LiteRtRunner implements Runner {
  readonly runtime = RUNTIME;
  readonly fallback = "";

  constructor(
    private readonly artifact: Artifact,
    private readonly model: CompiledModel,
    readonly threads: number,
  ) {
    for (const { name, shape } of artifact.inputs) {
      const found = model.getInputDetails().find((input) => input.name === name);
      if (found?.shape.join() !== shape.join() || found.dtype !== "uint8") {
        const takes = model
          .getInputDetails()
          .map((input) => `${input.name} ${input.dtype} ${input.shape}`)
          .join("; ");
        throw new Refusal(
          `${artifact.file} takes the input ${takes}, but lariqa.json says ${name} uint8 ${shape}; export again`,
        );
      }
    }
  }

  async run(views: Views): Promise<Run> {
    const began = performance.now();
    const inputs: Record<string, Tensor> = {};
    let outputs: Record<string, Tensor> = {};
    try {
      for (const { name, shape } of this.artifact.inputs) {
        inputs[name] = new Tensor(views[name as keyof Views]!, [...shape]);
      }
      const fed = performance.now();
      outputs = await this.model.run(inputs);
      const score = Number((await outputs[this.artifact.output]!.data())[0]);
      return { score, bufferMs: fed - began, inferenceMs: performance.now() - fed };
    } catch (error) {
      throw cannotRun(RUNTIME, error);
    } finally {
      for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    }
  }

  async close(): Promise<void> {
    this.model.delete();
  }
}
