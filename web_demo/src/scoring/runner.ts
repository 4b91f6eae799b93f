/** An open model, whatever runs it. */

import type { Artifact } from "../manifest/artifact.ts";
import type { Arithmetic } from "../manifest/tolerances.ts";
import { reasonOf, Refusal } from "../refusal.ts";
import type { Views } from "../pixels/views.ts";

/** What a runtime may compute on: the user's choice, never changed behind their back. */
export type Accelerator = "wasm" | "webgpu";

/** WebAssembly computes float layers in float32, a GPU perhaps in float16. */
export function arithmeticOn(accelerator: Accelerator): Arithmetic {
  return accelerator === "wasm" ? "float32" : "float16";
}

export interface Runner {
  /** Name and version, as shown to people. */
  readonly runtime: string;
  readonly threads: number;
  /** Empty, or what of the model does not run where it was asked for, as a sentence. */
  readonly fallback: string;
  /** The views are not changed; they may be used again. */
  run(views: Views): Promise<Run>;
  close(): Promise<void>;
}

/** One run and where its time went, in ms. */
export interface Run {
  readonly score: number;
  /** The views' bytes -> the runtime's own buffers. */
  readonly bufferMs: number;
  readonly inferenceMs: number;
}

/** Opens one model file: its row, its bytes (their sha256 was compared), how many threads. */
export type OpenRunner = (
  artifact: Artifact,
  model: Uint8Array<ArrayBuffer>,
  accelerator: Accelerator,
  threads: number,
  runtimeUrl: string,
) => Promise<Runner>;

/** What a runtime says when it cannot open a file, as a sentence. */
export function cannotOpen(runtime: string, artifact: Artifact, error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal(`${runtime} cannot open ${artifact.file}: ${reasonOf(error)}`);
}

/** What a runtime says when a run fails, as a sentence. */
export function cannotRun(runtime: string, error: unknown): Refusal {
  const reason = reasonOf(error);
  return /memory|allocat|RangeError/i.test(reason)
    ? new Refusal("there is not enough memory to run the model; close other tabs and try again")
    : new Refusal(`${runtime} could not run the model: ${reason}`);
}
