/**
 * The module: score photos with an exported file, in a browser.
 *
 *     import { load } from "./lariqa.js";
 *     const scorer = await load("model/");              // a folder that `lariqa export` wrote
 *     const { score } = await scorer.score(file);       // a File, Blob, ImageBitmap or ImageData
 *
 * Everything runs in a worker beside this module; nothing but the folder's own files is fetched.
 */

import type { Artifact } from "./manifest/artifact.ts";
import type { Manifest } from "./manifest/manifest.ts";
import type { Answer, LoadedAnswer, ScoredAnswer, ViewsAnswer } from "./messages.ts";
import type { Views } from "./pixels/views.ts";
import { Refusal } from "./refusal.ts";
import type { Accelerator } from "./scoring/runner.ts";
import { meaningOf, type PhotoScore, type ScoreMeaning } from "./scoring/score_meaning.ts";
import type { Loaded, PhotoInput, Timed } from "./scoring/scorer.ts";
import type { ScoringState } from "./scoring/scoring_state.ts";

export { Refusal };

export interface LoadOptions {
  /** One of the export's files; none: the first that runs in a browser. */
  readonly file?: string | undefined;
  readonly accelerator?: Accelerator;
  /** None: as many as `mostThreads()`. */
  readonly threads?: number;
  readonly onState?: (state: ScoringState) => unknown;
  /** Told which files there are to choose from, as soon as that is known: before one of them is refused. */
  readonly onListed?: (artifacts: readonly Artifact[]) => unknown;
}

/** One photo's score, what it means, and where the time went. */
export interface Scored extends PhotoScore {
  readonly name: string;
  readonly meaning: ScoreMeaning;
  readonly timed: Timed;
  /** The authentic view, small enough to be kept for every photo of a list; close it when it is not shown any more. */
  readonly thumbnail: ImageBitmap | null;
}

/** Threads that a page may use: more than one only where it is cross-origin isolated, and no more than help. */
export function mostThreads(): number {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, 4) : 1;
}

/**
 * Open an exported file and test it on its golden photo.
 *
 * @param url of the folder with lariqa.json, relative to the page.
 * @throws Refusal no export there, a file that is not the one that was proved, a device that scores the golden photo
 *   otherwise than PyTorch. `sentence` is for the user.
 */
export async function load(url: string, options: LoadOptions = {}): Promise<WebScorer> {
  const accelerator = options.accelerator ?? "wasm";
  const runtimeUrl = new URL("runtime/", import.meta.url).href;
  const worker = new WorkerChannel(runtimeUrl + (accelerator === "webgpu" ? "worker_webgpu.js" : "worker.js"));
  const folder = new URL(url.endsWith("/") ? url : `${url}/`, document.baseURI).href;
  const request = {
    url: folder,
    runtimeUrl,
    file: options.file,
    accelerator,
    threads: options.threads ?? mostThreads(),
  };
  try {
    const answer = await worker.ask<LoadedAnswer>({ kind: "load", request, name: "" }, [], options);
    return new WebScorer(worker, answer);
  } catch (error) {
    worker.close();
    throw error;
  }
}

/** A model that has passed its self-test. */
export class WebScorer {
  readonly loaded: Loaded;
  readonly manifest: Manifest;
  readonly artifact: Artifact;
  /** Those of the export that run in a browser. */
  readonly artifacts: readonly Artifact[];

  /** @internal made by `load`. */
  constructor(
    private readonly worker: WorkerChannel,
    answer: LoadedAnswer,
  ) {
    ({ loaded: this.loaded, manifest: this.manifest, artifact: this.artifact, artifacts: this.artifacts } = answer);
  }

  /**
   * Score one photo; photos wait for each other in the order of the calls.
   *
   * @param photo a file, or decoded pixels. An ImageBitmap is handed over, so that it is in memory once, and is empty
   *   afterwards; it must have been decoded with `colorSpaceConversion: "none", premultiplyAlpha: "none"`.
   * @param name begins a refusal.
   * @throws Refusal no photo, a damaged one, more than 200 megapixels, fewer than 32 px on a side.
   */
  async score(photo: PhotoInput, name = nameOf(photo)): Promise<Scored> {
    const answer = await this.worker.ask<ScoredAnswer>({ kind: "score", photo, name }, handedOver(photo));
    const meaning = meaningOf(answer.score, this.manifest, this.artifact);
    return { ...answer.score, name, meaning, timed: answer.timed, thumbnail: answer.thumbnail };
  }

  /** The bytes that the model sees of a photo: view -> RGB, row by row. Arguments and errors as for `score`. */
  async views(photo: PhotoInput, name = nameOf(photo)): Promise<Views> {
    return (await this.worker.ask<ViewsAnswer>({ kind: "views", photo, name }, handedOver(photo))).views;
  }

  /** Give the model's memory back. Calls that wait are refused. */
  close(): void {
    this.worker.close();
  }
}

function nameOf(photo: PhotoInput): string {
  return photo instanceof File ? photo.name : "the photo";
}

function handedOver(photo: PhotoInput): Transferable[] {
  return photo instanceof ImageBitmap ? [photo] : [];
}

type Without<Message> = Message extends { id: number } ? Omit<Message, "id"> : never;
type Asked = Without<import("./messages.ts").Request>;

/** Questions to a worker, each with its answer; a worker that dies answers all of them with a sentence. */
class WorkerChannel {
  private readonly worker: Worker;
  private readonly waiting = new Map<
    number,
    { resolve: (answer: Answer) => void; refuse: (refusal: Refusal) => void; options: LoadOptions }
  >();
  private asked = 0;

  constructor(url: string) {
    this.worker = new Worker(url, { name: "lariqa" }); // not a module: LiteRT.js loads itself by importScripts
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const one = this.waiting.get(data.id);
      if (data.kind === "state") return void one?.options.onState?.(data.state);
      if (data.kind === "listed") return void one?.options.onListed?.(data.artifacts);
      this.waiting.delete(data.id);
      if (data.kind === "refused") one?.refuse(new Refusal(data.sentence));
      else one?.resolve(data);
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.end(`the page's worker stopped (${event.message || "it could not be loaded"}); load the page again`);
    };
  }

  ask<Kind extends Answer>(request: Asked, transfer: Transferable[], options: LoadOptions = {}): Promise<Kind> {
    const id = ++this.asked;
    return new Promise((resolve, refuse) => {
      this.waiting.set(id, { resolve: resolve as (answer: Answer) => void, refuse, options });
      this.worker.postMessage({ ...request, id }, transfer);
    });
  }

  close(): void {
    this.end("the model was closed before this photo was scored; score it again");
  }

  private end(sentence: string): void {
    this.worker.terminate();
    for (const { refuse } of this.waiting.values()) refuse(new Refusal(sentence));
    this.waiting.clear();
  }
}
