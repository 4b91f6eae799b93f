/** The worker: decoding, views and model, off the page's own thread. It holds one model; another model is another worker. */

import type { ViewName } from "./manifest/preprocess_spec.ts";
import type { Answer, Request } from "./messages.ts";
import type { Views } from "./pixels/views.ts";
import { Refusal, sentenceOf } from "./refusal.ts";
import { Scorer } from "./scoring/scorer.ts";

declare const self: DedicatedWorkerGlobalScope;
interface DedicatedWorkerGlobalScope {
  onmessage: (event: MessageEvent<Request>) => void;
  postMessage(message: Answer, transfer?: Transferable[]): void;
}

let scorer: Scorer | null = null;
let last: Promise<void> = Promise.resolve(); // one at a time: two large photos at once would not fit a phone's memory

self.onmessage = ({ data }) => {
  last = last.then(() => answer(data));
};

async function answer(request: Request): Promise<void> {
  const { id } = request;
  try {
    if (request.kind === "load") {
      scorer = await Scorer.load(
        request.request,
        (state) => self.postMessage({ id, kind: "state", state }),
        (artifacts) => self.postMessage({ id, kind: "listed", artifacts }),
      );
      const { manifest, artifacts } = scorer.folder;
      self.postMessage({ id, kind: "loaded", loaded: scorer.loaded, manifest, artifacts, artifact: scorer.artifact });
      return;
    }
    if (!scorer) throw new Refusal(`${request.name}: expected a model to be ready, came none; load one first`);
    if (request.kind === "score") {
      const { score, views, timed } = await scorer.score(request.photo, request.name);
      const thumbnail = views.authentic ? await bitmapOf(views.authentic) : null;
      self.postMessage({ id, kind: "scored", score, timed, thumbnail }, thumbnail ? [thumbnail] : []);
    } else {
      const made = await scorer.views(request.photo, request.name);
      self.postMessage({ id, kind: "views", views: made }, buffersOf(made));
    }
  } catch (error) {
    self.postMessage({ id, kind: "refused", sentence: sentenceOf(error) });
  }
}

function buffersOf(views: Views): Transferable[] {
  return (Object.keys(views) as ViewName[]).map((name) => views[name]!.buffer);
}

/** A square of RGB bytes as something that a page can draw. */
async function bitmapOf(rgb: Uint8Array): Promise<ImageBitmap> {
  const side = Math.sqrt(rgb.length / 3);
  const pixels = new ImageData(side, side);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    pixels.data[to] = rgb[from]!;
    pixels.data[to + 1] = rgb[from + 1]!;
    pixels.data[to + 2] = rgb[from + 2]!;
    pixels.data[to + 3] = 255;
  }
  return createImageBitmap(pixels);
}
