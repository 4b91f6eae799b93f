/**
 * May this device's GPU run the model? It is asked for the scores of a few generated pictures, which WebAssembly scores too.
 *
 * The golden photo alone would be too little: a fault that shows in dark or noisy pictures only would pass. The pictures are
 * the golden tile, changed in whole numbers, so that every device is asked the same.
 */

import type { PreprocessSpec, ViewName } from "../manifest/preprocess_spec.ts";
import { GoldenPhoto, type Tile } from "../pixels/golden_photo.ts";
import { viewsOf, type Views } from "../pixels/views.ts";
import { Refusal } from "../refusal.ts";
import type { Runner } from "./runner.ts";
import { short, digits } from "./self_test.ts";

type Shade = (value: number, x: number, y: number) => number;

/** Name -> size and what is done to each byte. */
const PICTURES: Record<string, readonly [number, number, Shade]> = {
  dark: [1440, 1080, (value) => value >> 3],
  bright: [1080, 1440, (value) => 255 - ((255 - value) >> 2)],
  noisy: [1600, 1200, (value, x, y) => clamped(value + (hash(x, y) & 63) - 32)],
  posterised: [1013, 997, (value) => value & 0xc0],
  blocks: [1920, 1080, (value, x, y) => (((x >> 5) + (y >> 5)) & 1 ? value : 255 - value)],
};

export interface Audition {
  /** The largest difference, and in which picture. */
  readonly worst: number;
  readonly picture: string;
  readonly allowed: number;
  readonly pictures: number;
}

/**
 * @param candidate the runner that may be admitted.
 * @param reference opens the runner that computes in float32; closed before the candidate is asked.
 * @throws Refusal a score is too far off, with the figure; or the scores are all alike, and would prove nothing.
 */
export async function audition(
  candidate: () => Promise<Runner>,
  reference: () => Promise<Runner>,
  tile: Tile,
  spec: PreprocessSpec,
  names: readonly ViewName[],
  allowed: number,
  where: string,
): Promise<{ runner: Runner; audition: Audition }> {
  const expected = await scoresOf(await reference(), tile, spec, names, true);
  const spread = Math.max(...expected.values()) - Math.min(...expected.values());
  if (!(spread > allowed)) {
    throw new Refusal(
      `${where} cannot be judged: the pictures that it would be judged by score alike in this model ` +
        `(within ${short(spread)}); choose WASM`,
    );
  }
  const runner = await candidate();
  const came = await scoresOf(runner, tile, spec, names, false);
  let [worst, picture] = [0, ""];
  for (const [name, score] of expected) {
    const difference = Math.abs(came.get(name)! - score);
    if (Number.isNaN(difference) || difference > worst) [worst, picture] = [difference, name]; // NaN is the worst
  }
  if (!(worst <= allowed)) {
    await runner.close();
    throw new Refusal(
      `${where} is not used on this device: it scores the generated picture '${picture}' ${digits(came.get(picture)!)}, ` +
        `expected ${digits(expected.get(picture)!)} within ${short(allowed)}; choose WASM`,
    );
  }
  return { runner, audition: { worst, picture, allowed, pictures: expected.size } };
}

async function scoresOf(
  runner: Runner,
  tile: Tile,
  spec: PreprocessSpec,
  names: readonly ViewName[],
  close: boolean,
): Promise<Map<string, number>> {
  const scores = new Map<string, number>();
  for (const [name, [width, height, shade]] of Object.entries(PICTURES)) {
    const views: Views = await viewsOf(new GoldenPhoto(tile, width, height, shade), spec, names);
    scores.set(name, (await runner.run(views)).score);
  }
  if (close) await runner.close();
  return scores;
}

function clamped(value: number): number {
  return Math.min(255, Math.max(0, value));
}

/** Whole numbers that look random. */
function hash(x: number, y: number): number {
  let mixed = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 12)) >>> 0;
}
