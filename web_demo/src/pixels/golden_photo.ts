/**
 * The picture that every language makes byte for byte: a tile repeated, mirrored, from the top left (docs/schemas/manifest.md).
 *
 *     photo(y, x)  = tile(mirror(y, tile height), mirror(x, tile width))
 *     mirror(i, n) = i mod 2n, and where that is n or more, 2n - 1 - (i mod 2n)
 */

import { BAND_PIXELS, type Photo, type TakeBand } from "./photo.ts";

export const FILL = "mirror-tiled";

/** A tile that is in memory: RGBA, row by row. */
export interface Tile {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

export class GoldenPhoto implements Photo {
  readonly notes = [];

  /** The golden photo at the size that its reference score is recorded for; `shade` changes a byte, for tests of a device. */
  constructor(
    private readonly tile: Tile,
    readonly width: number,
    readonly height: number,
    private readonly shade?: (value: number, x: number, y: number) => number,
  ) {}

  async bands(take: TakeBand): Promise<void> {
    const { tile, width, height, shade } = this;
    const columns = Int32Array.from({ length: width }, (_, x) => mirror(x, tile.width));
    const rows = Math.max(1, Math.floor(BAND_PIXELS / width));
    const rgba = new Uint8Array(rows * width * 4).fill(255);
    for (let first = 0; first < height; first += rows) {
      const count = Math.min(rows, height - first);
      let to = 0;
      for (let y = first; y < first + count; y++) {
        const line = mirror(y, tile.height) * tile.width;
        for (let x = 0; x < width; x++, to += 4) {
          const from = (line + columns[x]!) * 4;
          for (let channel = 0; channel < 3; channel++) {
            const value = tile.rgba[from + channel]!;
            rgba[to + channel] = shade ? shade(value, x, y) : value;
          }
        }
      }
      take(rgba, first, count);
    }
  }

  close(): void {}
}

/** A photo of which all rows are kept; for the small golden tile. */
export async function tileOf(photo: Photo): Promise<Tile> {
  const rgba = new Uint8Array(photo.width * photo.height * 4);
  await photo.bands((band, first, count) =>
    rgba.set(band.subarray(0, count * photo.width * 4), first * photo.width * 4),
  );
  return { width: photo.width, height: photo.height, rgba };
}

function mirror(i: number, n: number): number {
  const folded = i % (2 * n);
  return folded < n ? folded : 2 * n - 1 - folded;
}
