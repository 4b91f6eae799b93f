/** Both runtimes are built for WebAssembly with SIMD, which every browser has had since 2023. */

import { Refusal } from "../refusal.ts";

/** A module of one function that splats a number over 16 bytes: valid only where SIMD is known. */
const MODULE = [
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0, // magic, version
  1,
  5,
  1,
  96,
  0,
  1,
  123, // type: () -> v128
  3,
  2,
  1,
  0, // function 0 has type 0
  10,
  10,
  1,
  8,
  0,
  65,
  0,
  253,
  15,
  253,
  98,
  11, // i32.const 0, i8x16.splat, i8x16.popcnt, end
];

/** @throws Refusal this browser has no WebAssembly, or one without SIMD. */
export function refuseWithoutSimd(): void {
  if (typeof WebAssembly === "undefined") {
    throw new Refusal("this browser has no WebAssembly, which the model runs on; allow it, or use another browser");
  }
  if (!WebAssembly.validate(Uint8Array.from(MODULE))) {
    throw new Refusal("this browser's WebAssembly has no SIMD, which the model runs on; update it, or use another one");
  }
}
