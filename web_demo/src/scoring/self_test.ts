/** The golden self-test: the export's golden photo must score on this device as the manifest says. It is also the warm-up. */

import type { Artifact } from "../manifest/artifact.ts";
import type { ExportFolder } from "../manifest/export_folder.ts";
import { type Arithmetic, arithmeticOf, IN_WORDS, toleranceOf } from "../manifest/tolerances.ts";
import { BitmapPhoto } from "../pixels/bitmap_photo.ts";
import { FILL, type Tile, tileOf } from "../pixels/golden_photo.ts";
import { Refusal } from "../refusal.ts";

export interface Expectation {
  readonly tile: Tile;
  readonly width: number;
  readonly height: number;
  readonly reference: number;
}

export interface SelfTest {
  readonly score: number;
  readonly reference: number;
  readonly tolerance: number;
  readonly arithmetic: Arithmetic;
}

/**
 * What the self-test of one file needs: the tile, the size at which the photo is made, PyTorch's score of it.
 *
 * @throws Refusal the export names no golden photo for it, or the tile is missing or another: no score would be shown.
 */
export async function expectationOf(folder: ExportFolder, artifact: Artifact): Promise<Expectation> {
  const golden = folder.manifest.golden;
  const row = golden && artifact.parity?.photos.find(({ photo }) => photo === golden.file);
  if (!golden || !row?.width_px || !row.height_px) {
    throw new Refusal(
      `lariqa.json names no golden photo for ${artifact.file}, so this page cannot check this device; ` +
        "export again with this toolkit",
    );
  }
  if (golden.fill !== FILL) {
    throw new Refusal(
      `the golden photo is made by '${golden.fill}', this version knows '${FILL}'; upgrade the toolkit`,
    );
  }
  const file = await folder.verified(golden.file, golden.sha256, null);
  const photo = await BitmapPhoto.decode(new Blob([file], { type: "image/png" }), golden.file);
  const tile = await tileOf(photo);
  photo.close();
  return { tile, width: row.width_px, height: row.height_px, reference: row.reference };
}

/**
 * The verdict on a score of the golden photo.
 *
 * @throws Refusal it is too far from the reference; one that is not a number always is.
 */
export function judge(
  score: number,
  reference: number,
  folder: ExportFolder,
  artifact: Artifact,
  processor: Arithmetic,
): SelfTest {
  const tolerance = toleranceOf(folder.manifest.tolerances, artifact, processor);
  const arithmetic = arithmeticOf(artifact, processor);
  if (!(Math.abs(score - reference) <= tolerance)) {
    throw new Refusal(
      `the golden photo scores ${digits(score)} on this device, expected ${digits(reference)} within ` +
        `${short(tolerance)} (${IN_WORDS[arithmetic]}); its scores cannot be trusted: ` +
        (processor === "float16" ? "choose WASM, or export again" : "export again, or report this device and browser"),
    );
  }
  return { score, reference, tolerance, arithmetic };
}

export function passedSentence(test: SelfTest): string {
  return (
    `Self-test passed: the golden photo scores ${digits(test.score)} here, ${digits(test.reference)} in PyTorch ` +
    `(difference ${short(Math.abs(test.score - test.reference))}, allowed ${short(test.tolerance)}: ${IN_WORDS[test.arithmetic]}).`
  );
}

export function digits(score: number): string {
  return score.toFixed(6);
}

/** As C's `%.2g`. */
export function short(number: number): string {
  if (number === 0) return "0";
  const text = number.toPrecision(2);
  if (Math.abs(number) >= 1e-4 && Math.abs(number) < 100) return String(Number(text));
  return Number(text)
    .toExponential()
    .replace(/e([+-])(\d)$/, "e$10$2");
}
