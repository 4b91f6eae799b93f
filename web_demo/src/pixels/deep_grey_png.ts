/**
 * A grey PNG with 16 bits a sample, read here: browsers keep the upper byte, the toolkit rounds, and the score of a picture
 * that is a level darker in a quarter of its pixels is another one.
 *
 *     grey = round(v * 255 / 65535),     white where v is the value that tRNS names
 *
 * Source: PNG (third edition), chapters 7.3 and 9.2; the browser's own decoder has found the file whole before.
 */

import { Bytes } from "./bytes.ts";
import { BAND_PIXELS, type Photo, type TakeBand } from "./photo.ts";

export class DeepGreyPng implements Photo {
  readonly notes = [];

  private constructor(
    readonly width: number,
    readonly height: number,
    private readonly packed: Blob,
    private readonly transparent: number | null,
  ) {}

  /** Null: it is interlaced, which photos are not. */
  static async open(blob: Blob, width: number, height: number): Promise<DeepGreyPng | null> {
    const file = new Bytes(blob);
    if ((await file.number(28, 1)) !== 0) return null;
    const parts: Blob[] = [];
    let transparent: number | null = null;
    for (let at = 8; at + 12 <= file.size;) {
      const [length, kind] = [await file.number(at, 4), await file.text(at + 4, 4)];
      if (kind === "tRNS") transparent = await file.number(at + 8, 2);
      if (kind === "IDAT") parts.push(blob.slice(at + 8, at + 8 + length));
      if (kind === "IEND") break;
      at += 12 + length;
    }
    return new DeepGreyPng(width, height, new Blob(parts), transparent);
  }

  async bands(take: TakeBand): Promise<void> {
    const { width, height, transparent } = this;
    const rows = Math.min(height, Math.max(1, Math.floor(BAND_PIXELS / width)));
    const band = new Uint8Array(width * rows * 4).fill(255);
    let [line, above] = [new Uint8Array(1 + 2 * width), new Uint8Array(1 + 2 * width)];
    let [filled, row] = [0, 0];
    const reader = this.packed.stream().pipeThrough(new DecompressionStream("deflate")).getReader();
    for (let { done, value } = await reader.read(); !done && row < height; { done, value } = await reader.read()) {
      for (let from = 0; from < value!.length && row < height;) {
        const piece = value!.subarray(from, from + line.length - filled);
        line.set(piece, filled);
        filled += piece.length;
        from += piece.length;
        if (filled < line.length) continue;
        unfilter(line, above);
        spread(line, band, (row % rows) * width * 4, transparent);
        [line, above, filled] = [above, line, 0];
        row++;
        if (row % rows === 0 || row === height) {
          const count = ((row - 1) % rows) + 1;
          take(band, row - count, count);
        }
      }
    }
    await reader.cancel();
  }

  close(): void {}
}

/** A line's bytes as they were before they were filtered; its first byte says how. Two bytes make a pixel. */
function unfilter(line: Uint8Array, above: Uint8Array): void {
  const kind = line[0];
  for (let i = 1; i < line.length; i++) {
    const left = i > 2 ? line[i - 2]! : 0;
    const up = above[i]!;
    if (kind === 1) line[i] = line[i]! + left;
    else if (kind === 2) line[i] = line[i]! + up;
    else if (kind === 3) line[i] = line[i]! + ((left + up) >> 1);
    else if (kind === 4) line[i] = line[i]! + paeth(left, up, i > 2 ? above[i - 2]! : 0);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function spread(line: Uint8Array, rgba: Uint8Array, at: number, transparent: number | null): void {
  for (let i = 1, to = at; i < line.length; i += 2, to += 4) {
    const value = (line[i]! << 8) | line[i + 1]!;
    const grey = value === transparent ? 255 : Math.floor((value * 255 + 32767) / 65535);
    rgba[to] = rgba[to + 1] = rgba[to + 2] = grey;
  }
}
