/** How far a score may be from the reference, in score units, by what the device computes in. */

import { Refusal } from "../refusal.ts";
import type { Artifact } from "./artifact.ts";

/** What a model is computed in, from exact to coarse. */
export const ARITHMETICS = ["float32", "float16", "int8"] as const;
export type Arithmetic = (typeof ARITHMETICS)[number];
export type Tolerances = Readonly<Record<Arithmetic, number>>;

export const IN_WORDS: Record<Arithmetic, string> = {
  float32: "computed in float32",
  float16: "computed in float16 where the processor does so",
  int8: "computed partly in int8",
};

/** @throws Refusal one is missing or no number above zero. */
export function parseTolerances(json: Record<string, unknown>): Tolerances {
  for (const name of ARITHMETICS) {
    const value = json[name];
    if (typeof value !== "number" || !(value > 0)) throw new Refusal(`the tolerance for ${name} is ${value}`);
  }
  return json as Tolerances;
}

/** The coarser of what the processor computes in and what the file itself asks for. */
export function arithmeticOf(artifact: Artifact, processor: Arithmetic): Arithmetic {
  const plan = artifact.plan;
  const own = !plan ? "float32" : Object.values(plan.weight_formats).includes("int8") ? "int8" : plan.compute;
  const coarser = Math.max(ARITHMETICS.indexOf(own as Arithmetic), ARITHMETICS.indexOf(processor));
  return ARITHMETICS[coarser]!;
}

/**
 * The tolerance for one file.
 *
 * @param processor what it computes float layers in. WebAssembly computes them in float32, and there the file's own parity
 *   limit counts where it is wider.
 */
export function toleranceOf(tolerances: Tolerances, artifact: Artifact, processor: Arithmetic): number {
  const arithmetic = arithmeticOf(artifact, processor);
  return arithmetic === "float32" ? Math.max(tolerances.float32, artifact.parity?.limit ?? 0) : tolerances[arithmetic];
}
