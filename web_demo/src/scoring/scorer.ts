/**
 * Photo -> views -> runner -> score, behind a golden self-test: a scorer that exists has passed it. Runs in a worker.
 */

import type { Artifact } from "../manifest/artifact.ts";
import { ExportFolder } from "../manifest/export_folder.ts";
import type { ViewName } from "../manifest/preprocess_spec.ts";
import { arithmeticOf, toleranceOf } from "../manifest/tolerances.ts";
import { BitmapPhoto } from "../pixels/bitmap_photo.ts";
import { GoldenPhoto } from "../pixels/golden_photo.ts";
import { type Photo, PixelPhoto } from "../pixels/photo.ts";
import { viewsOf, type Views } from "../pixels/views.ts";
import { Refusal } from "../refusal.ts";
import { type Audition, audition } from "./audition.ts";
import { openLiteRt } from "./litert_runner.ts";
import { openOnnx } from "./onnx_runner.ts";
import { type Accelerator, arithmeticOn, type Runner } from "./runner.ts";
import type { PhotoScore } from "./score_meaning.ts";
import type { ScoringState } from "./scoring_state.ts";
import { expectationOf, judge, type SelfTest } from "./self_test.ts";
import { refuseWithoutSimd } from "./simd.ts";

const OPENERS = { onnx: openOnnx, tflite: openLiteRt };

export interface LoadRequest {
  /** Of the export's folder, and of the runtimes' own files; both end in a slash. */
  readonly url: string;
  readonly runtimeUrl: string;
  /** Which file; none: the first that runs here. */
  readonly file?: string | undefined;
  readonly accelerator: Accelerator;
  readonly threads: number;
}

/** What can be scored: a photo file, or what somebody decoded. */
export type PhotoInput = Blob | ImageBitmap | ImageData;

/** Where the time of one score went, ms; each photo file of a benchmark is decoded anew. */
export interface Timed {
  readonly decodeMs: number;
  readonly preprocessMs: number;
  readonly inferenceMs: number;
  readonly postMs: number;
}

export interface Loaded {
  readonly file: string;
  readonly runtime: string;
  readonly threads: number;
  readonly fallback: string;
  readonly accelerator: Accelerator;
  readonly selfTest: SelfTest;
  readonly audition: Audition | null;
  /** From the file's bytes to an open model. */
  readonly openMs: number;
  readonly firstMs: number;
}

export class Scorer {
  private constructor(
    readonly folder: ExportFolder,
    readonly artifact: Artifact,
    private readonly runner: Runner,
    readonly loaded: Loaded,
  ) {}

  /** @throws Refusal whatever stands in the way of a score that can be trusted. */
  static async load(
    request: LoadRequest,
    announce: (state: ScoringState) => void,
    list: (artifacts: readonly Artifact[]) => void,
  ): Promise<Scorer> {
    const { accelerator, threads, runtimeUrl } = request;
    refuseWithoutSimd();
    announce({ name: "Loading", file: "lariqa.json", fraction: null });
    const folder = await ExportFolder.open(request.url);
    list(folder.artifacts);
    const artifact = folder.artifact(request.file);
    const expected = await expectationOf(folder, artifact);
    let model: Uint8Array<ArrayBuffer> | null = await folder.verified(
      artifact.file,
      artifact.sha256,
      artifact.bytes,
      (at, of) => announce({ name: "Loading", file: artifact.file, fraction: at / of }),
    );
    announce({ name: "Loading", file: artifact.file, fraction: null });
    const names = namesOf(artifact);
    const processor = arithmeticOn(accelerator);
    const open = (on: Accelerator): Promise<Runner> =>
      OPENERS[artifact.format as keyof typeof OPENERS](artifact, model!, on, threads, runtimeUrl);
    const began = performance.now();
    let runner: Runner;
    let admitted: Audition | null = null;
    if (accelerator === "webgpu") {
      await refuseWithoutGpu();
      announce({ name: "Self-test" });
      const allowed = toleranceOf(folder.manifest.tolerances, artifact, processor);
      const where = "WebGPU";
      // Opened first: a file that it refuses is refused before the pictures are scored twice.
      const candidate = await open("webgpu");
      const passed = await audition(
        async () => candidate,
        () => open("wasm"),
        expected.tile,
        folder.manifest.preprocess,
        names,
        allowed,
        where,
      );
      [runner, admitted] = [passed.runner, passed.audition];
    } else runner = await open("wasm");
    const openMs = performance.now() - began;
    model = null; // the runtime has its own copy
    announce({ name: "Self-test" });
    const golden = new GoldenPhoto(expected.tile, expected.width, expected.height);
    const run = await runner.run(await viewsOf(golden, folder.manifest.preprocess, names));
    const selfTest = judge(run.score, expected.reference, folder, artifact, processor);
    const loaded = {
      file: artifact.file,
      runtime: runner.runtime,
      threads: runner.threads,
      fallback: runner.fallback,
      accelerator,
      selfTest,
      audition: admitted,
      openMs,
      firstMs: run.inferenceMs,
    };
    return new Scorer(folder, artifact, runner, loaded);
  }

  /**
   * One photo's score, with its views and where the time went.
   *
   * @throws Refusal no photo, a damaged one, too large, too small.
   */
  async score(input: PhotoInput, name: string): Promise<{ score: PhotoScore; views: Views; timed: Timed }> {
    const began = performance.now();
    const photo = await photoOf(input, name);
    const decoded = performance.now();
    const views = await this.viewsOf(photo);
    const prepared = performance.now();
    const run = await this.runner.run(views);
    if (!Number.isFinite(run.score)) {
      throw new Refusal(`the score is ${run.score}, not a number: the weights are damaged; import or train them again`);
    }
    const processor = arithmeticOn(this.loaded.accelerator);
    const score = {
      score: run.score,
      width: photo.width,
      height: photo.height,
      notes: photo.notes,
      arithmetic: arithmeticOf(this.artifact, processor),
      tolerance: toleranceOf(this.folder.manifest.tolerances, this.artifact, processor),
    };
    const timed = {
      decodeMs: decoded - began,
      preprocessMs: prepared - decoded + run.bufferMs,
      inferenceMs: run.inferenceMs,
      postMs: Math.max(0, performance.now() - prepared - run.bufferMs - run.inferenceMs),
    };
    return { score, views, timed };
  }

  /** The views alone, as the model would see them. */
  async views(input: PhotoInput, name: string): Promise<Views> {
    return this.viewsOf(await photoOf(input, name));
  }

  /** The decoded photo is gone afterwards: it is not in memory while the model runs. */
  private async viewsOf(photo: Photo): Promise<Views> {
    try {
      return await viewsOf(photo, this.folder.manifest.preprocess, namesOf(this.artifact));
    } finally {
      photo.close();
    }
  }
}

function namesOf(artifact: Artifact): ViewName[] {
  return artifact.inputs.map((input) => input.name as ViewName);
}

async function photoOf(input: PhotoInput, name: string): Promise<Photo> {
  if (input instanceof Blob) return BitmapPhoto.decode(input, name);
  if (input instanceof ImageBitmap) return new BitmapPhoto(input);
  return new PixelPhoto(input.width, input.height, input.data as Uint8ClampedArray);
}

async function refuseWithoutGpu(): Promise<void> {
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<unknown> } }).gpu;
  if (!gpu || !(await gpu.requestAdapter())) {
    throw new Refusal("this browser cannot use WebGPU on this device: it offers no adapter; choose WASM");
  }
}
