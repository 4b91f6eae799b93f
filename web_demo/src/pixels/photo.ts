/** A decoded photo: upright RGBA rows, handed out in bands, so that a large photo is never in memory twice. */

import { Refusal } from "../refusal.ts";
import { MIN_SIDE_PX } from "../manifest/preprocess_spec.ts";

/** Room for the largest phone sensors; decompression bombs claim more. */
export const MAX_PIXELS = 200_000_000;

/** Of a photo that are read at a time: 1 MB of RGBA, what a cache holds. */
export const BAND_PIXELS = 1 << 18;

/** Takes rows `first..first + count - 1`: 4 bytes a pixel, not premultiplied; valid during the call alone. */
export type TakeBand = (rgba: Uint8Array | Uint8ClampedArray, first: number, count: number) => void;

export interface Photo {
  readonly width: number;
  readonly height: number;
  /** What a reader of the score must know of the decoding, a sentence each. */
  readonly notes: readonly string[];
  /** Every row, from the top. */
  bands(take: TakeBand): Promise<void>;
  /** Give its memory back. */
  close(): void;
}

/** Pixels that are there already: `ImageData`, or what somebody computed. */
export class PixelPhoto implements Photo {
  readonly notes = [];

  /** @param rgba 4 bytes a pixel, row by row, not premultiplied. */
  constructor(
    readonly width: number,
    readonly height: number,
    private readonly rgba: Uint8Array | Uint8ClampedArray,
  ) {
    if (rgba.length !== width * height * 4) {
      throw new Refusal(
        `expected an image as uint8 (height, width, 4), got ${rgba.length} bytes for ${width}x${height}`,
      );
    }
  }

  async bands(take: TakeBand): Promise<void> {
    take(this.rgba, 0, this.height);
  }

  close(): void {}
}

/** @throws Refusal too small to judge. */
export function refuseSmall(photo: { readonly width: number; readonly height: number }): void {
  if (Math.min(photo.width, photo.height) < MIN_SIDE_PX) {
    throw new Refusal(
      `the photo is ${photo.width}x${photo.height} px; the model needs at least ${MIN_SIDE_PX} px on each side`,
    );
  }
}
