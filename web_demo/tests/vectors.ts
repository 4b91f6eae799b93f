/** What make_vectors.py wrote: LARIQA_VECTORS names its folder. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

const FOLDER = process.env.LARIQA_VECTORS ?? "";

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly pixels: string;
}

export function vectors<Content>(name: string): Content {
  return JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), "utf8"));
}

export function bytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(path.join(FOLDER, name)));
}

export function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** RGB -> RGBA, opaque. */
export function rgba(rgb: Uint8Array): Uint8Array {
  const made = new Uint8Array((rgb.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) made.set(rgb.subarray(from, from + 3), to);
  return made;
}

/** The pixels of a vector, as RGBA. */
export function decoded(vector: Pixels): Uint8Array {
  return rgba(new Uint8Array(Buffer.from(vector.pixels, "base64")));
}
