/** A score in plain words: what the number is, what was looked at, and what it does not say. */

import type { Artifact } from "../manifest/artifact.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { type Arithmetic, IN_WORDS } from "../manifest/tolerances.ts";
import { short } from "./self_test.ts";

export interface PhotoScore {
  readonly score: number;
  /** Of the photo, upright. */
  readonly width: number;
  readonly height: number;
  readonly arithmetic: Arithmetic;
  /** How far the score may be from PyTorch's. */
  readonly tolerance: number;
  /** What a reader must know of the decoding, a sentence each. */
  readonly notes: readonly string[];
}

export interface ScoreMeaning {
  readonly scale: string;
  /** To be read before the score. */
  readonly warnings: readonly string[];
  readonly views: string;
  readonly exactness: string;
  readonly doesNotSay: string;
  /** Where the score lies on the scale, 0 to 1, for a gauge. */
  readonly position: number;
}

/** As many digits as the arithmetic is good for. */
export function scoreText(score: PhotoScore): string {
  return score.score.toFixed(score.arithmetic === "float32" ? 4 : 2);
}

export function meaningOf(score: PhotoScore, manifest: Manifest, artifact: Artifact): ScoreMeaning {
  const [low, high] = manifest.score.nominal_range;
  const better = manifest.score.higher_is === "better" ? "higher is better" : `higher is ${manifest.score.higher_is}`;
  const warnings = manifest.trained ? [] : [manifest.score.meaning];
  if (score.score < low || score.score > high) {
    warnings.push("The score lies outside the usual range; the photo may be unlike any the model learned from.");
  }
  const looks = looksOf(score, manifest, artifact);
  return {
    scale: `${scoreText(score)} on a scale of about ${low} to ${high}, ${better}.`,
    warnings: [...warnings, ...score.notes],
    views:
      looks.length === 2
        ? `The model looked twice: at ${looks[0]}, and at ${looks[1]}.`
        : `The model looked at ${looks[0]}.`,
    exactness: `Within ${short(score.tolerance)} of PyTorch's score, ${IN_WORDS[score.arithmetic]}.`,
    doesNotSay:
      (manifest.trained ? `It is ${manifest.score.meaning}: how good the photo looks. ` : "") +
      "It does not say whether the moment, the people or the subject are worth keeping.",
    position: Math.min(1, Math.max(0, (score.score - low) / (high - low))),
  };
}

/** What each branch saw of a photo of this size. */
function looksOf({ width, height }: PhotoScore, manifest: Manifest, artifact: Artifact): string[] {
  const { authenticSidePx: side, syntheticCropPx: crop } = manifest.preprocess;
  const names = artifact.inputs.map((input) => input.name);
  const middle = `the middle ${Math.min(width, crop)}x${Math.min(height, crop)} px at full resolution`;
  return [
    ...(names.includes("authentic") ? [`the whole photo, scaled to ${side}x${side}`] : []),
    ...(names.includes("synthetic")
      ? [Math.max(width, height) <= crop ? "every pixel at full resolution" : middle]
      : []),
  ];
}
