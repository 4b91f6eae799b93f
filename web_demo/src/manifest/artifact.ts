/** One row of `lariqa.json`: one exported file, what it takes, what it gives, how it was proved. */

import { Refusal } from "../refusal.ts";
import { type PreprocessSpec, sidePx, VIEWS, type ViewName } from "./preprocess_spec.ts";
import { inWords, tuple } from "./python_words.ts";

export interface InputSpec {
  readonly name: string;
  readonly dtype: string;
  readonly layout: string;
  readonly shape: readonly number[];
}

export interface PhotoParity {
  readonly photo: string;
  readonly reference: number;
  readonly score: number;
  readonly width_px?: number | null;
  readonly height_px?: number | null;
}

/** As it stands in the file; what this code reads of it. */
export interface Artifact {
  readonly file: string;
  readonly format: string;
  readonly precision: string;
  readonly input: string;
  readonly synthetic_view: string;
  readonly photo_width_px: number | null;
  readonly photo_height_px: number | null;
  readonly inputs: readonly InputSpec[];
  readonly output: string;
  readonly macs: number;
  readonly batch?: number | null;
  readonly memory?: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly status: string;
  readonly parity?: { readonly limit: number; readonly photos: readonly PhotoParity[] } | null;
  /** Below fp32: what became of each group of layers. */
  readonly plan?: { readonly weight_formats: Record<string, string>; readonly compute: string } | null;
}

const INPUTS = ["views", "pixels", "tensors"];

/** A manifest may come from anywhere, and it says which files beside it are opened. */
export function refuseContradictions(row: Artifact, spec: PreprocessSpec): void {
  const size = [row.photo_height_px, row.photo_width_px];
  const shapes = new Map(row.inputs.map((input) => [input.name, input.shape]));
  const views = shapes.size > 0 && [...shapes.keys()].every((name) => VIEWS.includes(name as ViewName));
  const isName = /^[^./\\][^/\\]*\.[^/\\]+$/.test(row.file);
  const ofAnySize = size.every((side) => side === null);
  const ofOneSize = size.every((side) => Number.isInteger(side) && side! > 0);
  const pixels = shapes.size === 1 && JSON.stringify(shapes.get("image")) === JSON.stringify([1, ...size, 3]);
  const fits = row.input === "pixels" ? pixels : views;
  if (!isName || !INPUTS.includes(row.input) || !fits || !(ofAnySize || ofOneSize)) {
    const inputs = [...shapes].map(([name, shape]) => `${inWords(name)}: ${tuple(shape)}`).join(", ");
    throw new Refusal(
      `the row of ${inWords(row.file)} contradicts itself: input ${inWords(row.input)}, photo size ${tuple(size)}, ` +
        `inputs {${inputs}}`,
    );
  }
  if (runsHere(row)) row.inputs.forEach((input) => refuseOther(row, input, spec));
}

/** A view goes in as bytes, with the sides that the preprocessing gives it. */
function refuseOther(row: Artifact, input: InputSpec, spec: PreprocessSpec): void {
  const side = sidePx(input.name as ViewName, spec);
  const expected = { name: input.name, dtype: "uint8", layout: "NHWC", shape: [1, side, side, 3] };
  if (described(input) !== described(expected)) {
    throw new Refusal(`the row of '${row.file}' has the input ${described(input)}, expected ${described(expected)}`);
  }
}

function described(input: InputSpec): string {
  return `'${input.name}' ${input.dtype} ${input.layout} ${tuple(input.shape)}`;
}

/** Whether a page can run it: a file for one photo of any size, which takes views that have one size. */
export function runsHere(row: Artifact): boolean {
  return row.format in RUNTIMES && row.input === "views" && row.synthetic_view === "crop" && (row.batch ?? 1) === 1;
}

/** Format -> the runtime that opens it here; first the one that takes half of the other's time (docs/experiments). */
export const RUNTIMES: Record<string, string> = { tflite: "LiteRT.js", onnx: "ONNX Runtime Web" };
