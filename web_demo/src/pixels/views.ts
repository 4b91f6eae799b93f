/**
 * A photo of any size -> the views that a file takes, as RGB bytes: what the model's branches see. Byte for byte as Python
 * makes them.
 *
 *     authentic   the whole photo, resized to a square
 *     synthetic   its centre crop, padded with black
 *
 * The photo's rows are read once and serve both. No second copy of it is made.
 */

import type { PreprocessSpec, ViewName } from "../manifest/preprocess_spec.ts";
import { type Photo, refuseSmall } from "./photo.ts";
import { layOverWhite } from "./over_white.ts";
import { ResizedRows } from "./pillow_resize.ts";

export type Views = Partial<Record<ViewName, Uint8Array<ArrayBuffer>>>;

/** @throws Refusal a photo too small to judge. */
export async function viewsOf(photo: Photo, spec: PreprocessSpec, names: readonly ViewName[]): Promise<Views> {
  refuseSmall(photo);
  const { width, height } = photo;
  const side = spec.authenticSidePx;
  const authentic = names.includes("authentic") ? new ResizedRows(width, height, side, side) : null;
  const crop = names.includes("synthetic") ? new CenterCrop(width, height, spec.syntheticCropPx) : null;
  await photo.bands((rgba, first, count) => {
    const opaque = layOverWhite(rgba, count * width);
    authentic?.take(opaque, first, count);
    for (let row = 0; row < count; row++) crop?.take(first + row, opaque, row * width * 4);
  });
  const views: Views = {};
  if (authentic) views.authentic = authentic.rgb;
  if (crop) views.synthetic = crop.rgb;
  return views;
}

/** torchvision's `CenterCrop`: halves go to even; where the photo is smaller, black borders, the odd pixel right and below. */
class CenterCrop {
  readonly rgb: Uint8Array<ArrayBuffer>;
  private readonly across: Axis;
  private readonly down: Axis;

  constructor(
    width: number,
    height: number,
    private readonly side: number,
  ) {
    this.across = axis(width, side);
    this.down = axis(height, side);
    this.rgb = new Uint8Array(side * side * 3);
  }

  take(y: number, rgba: Uint8Array | Uint8ClampedArray, at: number): void {
    const { across, down, rgb } = this;
    const row = y - down.start;
    if (row < 0 || row >= down.count) return;
    let to = ((row + down.padBefore) * this.side + across.padBefore) * 3;
    let from = at + across.start * 4;
    for (let x = 0; x < across.count; x++, from += 4, to += 3) {
      rgb[to] = rgba[from]!;
      rgb[to + 1] = rgba[from + 1]!;
      rgb[to + 2] = rgba[from + 2]!;
    }
  }
}

interface Axis {
  readonly start: number;
  readonly count: number;
  readonly padBefore: number;
}

function axis(size: number, crop: number): Axis {
  return {
    start: size >= crop ? roundedToEven((size - crop) / 2) : 0,
    count: Math.min(size, crop),
    padBefore: Math.floor(Math.max(0, crop - size) / 2),
  };
}

/** Halves go to the even neighbour, as Python rounds. */
function roundedToEven(value: number): number {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}
