/**
 * A photo file -> its pixels by the browser's own decoder: the stored values, no colour management, alpha not multiplied in,
 * upright.
 *
 * Measured in docs/experiments.md, "In the browser": where these are Pillow's bytes, and where not.
 */

import { reasonOf } from "../refusal.ts";
import { BAND_PIXELS, MAX_PIXELS, type Photo, type TakeBand } from "./photo.ts";
import { readHeader } from "./photo_header.ts";
import * as refuse from "./photo_refusal.ts";

const DECODING = { colorSpaceConversion: "none", premultiplyAlpha: "none" } as const;

/** What browsers decode, where they do not refuse it as damaged; the rest depends on the system. */
const DECODED_EVERYWHERE = ["JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF"];

export class BitmapPhoto implements Photo {
  readonly width: number;
  readonly height: number;

  /** @param turn EXIF orientation that the bitmap still needs. */
  constructor(private readonly bitmap: ImageBitmap, readonly notes: readonly string[] = [], private readonly turn = 1) {
    const swaps = turn >= 5;
    this.width = swaps ? bitmap.height : bitmap.width;
    this.height = swaps ? bitmap.width : bitmap.height;
  }

  /** @throws Refusal no photo, a damaged one, one too large, one that this browser does not decode. */
  static async decode(file: Blob, name: string): Promise<BitmapPhoto> {
    if (!file.size) throw refuse.empty(name);
    let header;
    try {
      header = await readHeader(file);
    } catch (error) {
      throw refuse.unreadable(name, reasonOf(error));
    }
    const { kind, size } = header;
    if (!kind) throw refuse.otherKind(name, new Uint8Array(await file.slice(0, 12).arrayBuffer()));
    if (kind === "camera RAW") throw refuse.cameraRaw(name);
    if (header.stillIsNoFrame) throw refuse.stillIsNoFrame(name);
    if (size && size.width * size.height > MAX_PIXELS) throw refuse.tooLarge(name, size.width, size.height);
    let bitmap;
    try {
      bitmap = await createImageBitmap(file, DECODING);
    } catch (error) {
      if (DECODED_EVERYWHERE.includes(kind)) throw refuse.damaged(name, reasonOf(error));
      throw refuse.notDecodedHere(name, kind);
    }
    if (bitmap.width * bitmap.height > MAX_PIXELS) throw refuse.tooLarge(name, bitmap.width, bitmap.height);
    const notes = header.depth > 8 && header.isGrey ? [DEEP_GREY] : [];
    const turn = header.turn !== 1 && !(await webpIsTurned()) ? header.turn : 1;
    return new BitmapPhoto(bitmap, notes, turn);
  }

  bands(take: TakeBand): void {
    const { width, height, bitmap, turn } = this;
    const rows = Math.min(height, Math.max(1, Math.floor(BAND_PIXELS / width)));
    const canvas = new OffscreenCanvas(width, rows);
    const pen = canvas.getContext("2d", { willReadFrequently: true })!;
    pen.imageSmoothingEnabled = false;
    pen.globalCompositeOperation = "copy";
    for (let first = 0; first < height; first += rows) {
      const count = Math.min(rows, height - first);
      const [a, b, c, d, e, f] = UPRIGHT[turn]!(bitmap.width, bitmap.height);
      pen.setTransform(a, b, c, d, e, f - first);
      pen.drawImage(bitmap, 0, 0);
      take(pen.getImageData(0, 0, width, count).data, first, count);
    }
    canvas.width = canvas.height = 1; // gives its memory back at once
  }

  close(): void {
    this.bitmap.close();
  }
}

const DEEP_GREY =
  "The photo is grey with 16 bits, of which the browser keeps the upper eight where the toolkit rounds: " +
  "a quarter of the pixels may be one level darker, and the score is that of such a picture.";

/** EXIF orientation -> the transform (a, b, c, d, e, f) that brings a stored picture of this size upright. */
const UPRIGHT: Record<number, (w: number, h: number) => readonly [number, number, number, number, number, number]> = {
  1: () => [1, 0, 0, 1, 0, 0],
  2: (w) => [-1, 0, 0, 1, w, 0],
  3: (w, h) => [-1, 0, 0, -1, w, h],
  4: (_, h) => [1, 0, 0, -1, 0, h],
  5: () => [0, 1, 1, 0, 0, 0],
  6: (_, h) => [0, 1, -1, 0, h, 0],
  7: (w, h) => [0, -1, -1, 0, h, w],
  8: (w) => [0, -1, 1, 0, 0, w],
};

/** Whether this browser turns a WebP by its EXIF itself: asked of one of 2x1 px that lies on its side. */
async function webpIsTurned(): Promise<boolean> {
  const bytes = Uint8Array.from(atob(LYING_WEBP), (letter) => letter.charCodeAt(0));
  const { width, height } = await createImageBitmap(new Blob([bytes], { type: "image/webp" }));
  return height > width;
}

const LYING_WEBP =
  "UklGRlAAAABXRUJQVlA4WAoAAAAIAAAAAQAAAAAAVlA4TA8AAAAvAQAAAAcQ/Y/+ByKi/wEARVhJRhoAAABNTQAqAAAACAABARIA" +
  "AwAAAAEABgAAAAAAAA==";
