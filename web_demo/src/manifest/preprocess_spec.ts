/** How a decoded photo becomes the model's two views. Data for this code, which holds no number of its own. */

import { Refusal } from "../refusal.ts";
import { inWords, tuple } from "./python_words.ts";

/** The backbones halve the picture five times: below this nothing of the photo is left to judge. */
export const MIN_SIDE_PX = 32;

export const VIEWS = ["authentic", "synthetic"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface PreprocessSpec {
  readonly authenticSidePx: number;
  readonly syntheticView: "crop" | "full";
  readonly syntheticCropPx: number;
}

const KEYS = ["authentic_side_px", "synthetic_view", "synthetic_crop_px", "mean", "std"];
const IMPLEMENTED: Record<string, unknown> = {
  resize: "pillow-bilinear-antialias-width-first",
  crop: "torchvision-center-crop",
  crop_fill_rgb: [0, 0, 0],
  channel_order: "RGB",
};

/**
 * Read the spec.
 *
 * @throws Refusal a key is missing, or says something that this code does not implement.
 */
export function parsePreprocess(json: Record<string, unknown>): PreprocessSpec {
  for (const key of KEYS) {
    if (!(key in json)) {
      throw new Refusal(`the preprocessing spec has no '${key}'; it has ${inWords(Object.keys(json).sort())}`);
    }
  }
  const syntheticView = json.synthetic_view;
  if (syntheticView !== "crop" && syntheticView !== "full") {
    throw new Refusal(`synthetic_view is ${inWords(syntheticView)}; it must be one of ${tuple(["crop", "full"])}`);
  }
  const side = (key: string): number => {
    const value = json[key];
    if (typeof value !== "number" || !Number.isInteger(value) || value < MIN_SIDE_PX) {
      throw new Refusal(`${key} is ${inWords(value)}; it must be a whole number >= ${MIN_SIDE_PX}`);
    }
    return value;
  };
  const spec = {
    authenticSidePx: side("authentic_side_px"),
    syntheticView,
    syntheticCropPx: side("synthetic_crop_px"),
  } as const;
  const others = Object.entries(json).filter(([key]) => !KEYS.includes(key));
  const unknown = others.filter(([key, value]) => JSON.stringify(IMPLEMENTED[key]) !== JSON.stringify(value));
  if (unknown.length) {
    const said = inWords(Object.fromEntries(unknown));
    throw new Refusal(`the preprocessing spec says ${said}, which this version does not do; upgrade the toolkit`);
  }
  return spec;
}

/** Side of a view of a file with a centre crop, which is a square. */
export function sidePx(view: ViewName, spec: PreprocessSpec): number {
  return view === "authentic" ? spec.authenticSidePx : spec.syntheticCropPx;
}
