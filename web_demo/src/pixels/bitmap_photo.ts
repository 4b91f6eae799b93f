/**
 * A photo file -> its pixels by the browser's own decoder: the stored values, no colour management, alpha not multiplied in,
 * upright.
 *
 * Measured in docs/experiments/apps.md: where these are Pillow's bytes, and where not.
 */

import { reasonOf } from "../refusal.ts";
import { DeepGreyPng } from "./deep_grey_png.ts";
import { BAND_PIXELS, MAX_PIXELS, type Photo, type TakeBand } from "./photo.ts";
import { readHeader } from "./photo_header.ts";
import * as refuse from "./photo_refusal.ts";

const DECODING = { colorSpaceConversion: "none", premultiplyAlpha: "none" } as const;

/** What browsers decode, where they do not refuse it as damaged; the rest depends on the system. */
const DECODED_EVERYWHERE = ["JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF"];

export class BitmapPhoto implements Photo {
  readonly width: number;
  readonly height: number;

  /** @param turn EXIF orientation that the browser has left to the page. */
  constructor(
    private readonly bitmap: ImageBitmap,
    readonly notes: readonly string[] = [],
    private readonly turn = 1,
  ) {
    const swaps = turn >= 5;
    this.width = swaps ? bitmap.height : bitmap.width;
    this.height = swaps ? bitmap.width : bitmap.height;
  }

  /** @throws Refusal no photo, a damaged one, one too large, one that this browser does not decode. */
  static async decode(file: Blob, name: string): Promise<Photo> {
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
    if (kind === "PNG" && header.depth > 8 && header.isGrey) {
      const exact = await DeepGreyPng.open(file, bitmap.width, bitmap.height);
      if (exact) bitmap.close();
      return exact ?? new BitmapPhoto(bitmap, [DEEP_GREY]);
    }
    const turn = header.turn !== 1 && !(await webpIsTurned()) ? header.turn : 1;
    return new BitmapPhoto(bitmap, [], turn);
  }

  async bands(take: TakeBand): Promise<void> {
    const rows = Math.min(this.height, Math.max(1, Math.floor(BAND_PIXELS / this.width)));
    const frame = await frameOf(this.bitmap);
    if (frame) await this.readFrame(frame, rows, take);
    else this.readCanvas(rows, take);
  }

  /** From where the pixels are, a band of rows or, of a photo that lies on its side, of columns at a time. */
  private async readFrame(frame: VideoFrame, rows: number, take: TakeBand): Promise<void> {
    const { width, height } = this;
    const turn = this.turn !== 1 ? this.turn : turnOf(frame)!; // a browser that turns leaves nothing to the page
    const part = new Uint8Array(width * rows * 4);
    const band = turn === 1 ? part : new Uint8Array(width * rows * 4);
    try {
      for (let first = 0; first < height; first += rows) {
        const count = Math.min(rows, height - first);
        const swaps = turn >= 5;
        const fromEnd = (swaps ? FROM_RIGHT : FROM_BOTTOM).includes(turn);
        const start = fromEnd ? height - first - count : first;
        const rect = swaps
          ? { x: start, y: 0, width: count, height: frame.codedHeight }
          : { x: 0, y: start, width: frame.codedWidth, height: count };
        await frame.copyTo(part, { rect, format: "RGBA" });
        if (turn !== 1) turned(part, band, width, count, turn);
        take(band, first, count);
      }
    } finally {
      frame.close();
    }
  }

  /** By way of a canvas, which keeps a copy of what is drawn on it: for browsers without the other way, and to turn. */
  private readCanvas(rows: number, take: TakeBand): void {
    const { width, height, bitmap } = this;
    const canvas = new OffscreenCanvas(width, rows);
    const pen = canvas.getContext("2d", { willReadFrequently: true })!;
    pen.imageSmoothingEnabled = false;
    pen.globalCompositeOperation = "copy";
    for (let first = 0; first < height; first += rows) {
      const count = Math.min(rows, height - first);
      const [a, b, c, d, e, f] = UPRIGHT[this.turn]!(bitmap.width, bitmap.height);
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

/**
 * The bitmap's pixels where they are, to be read part by part; null where this browser cannot.
 *
 * Asked of one row: a browser may know the class and not the conversion.
 */
async function frameOf(bitmap: ImageBitmap): Promise<VideoFrame | null> {
  let frame: VideoFrame | null = null;
  try {
    frame = new VideoFrame(bitmap, { timestamp: 0 });
    const row = new Uint8Array(frame.codedWidth * 4);
    await frame.copyTo(row, { rect: { x: 0, y: 0, width: frame.codedWidth, height: 1 }, format: "RGBA" });
    const swaps = (turnOf(frame) ?? 1) >= 5;
    const [width, height] = swaps ? [frame.codedHeight, frame.codedWidth] : [frame.codedWidth, frame.codedHeight];
    if (turnOf(frame) !== null && width === bitmap.width && height === bitmap.height) return frame;
  } catch {
    // What is wrong with the photo was found when it was decoded.
  }
  frame?.close();
  return null;
}

/** A frame's pixels lie as they were stored; how a viewer turns them, as an EXIF orientation. Null: it does not say. */
function turnOf(frame: VideoFrame): number | null {
  const { rotation, flip } = frame as VideoFrame & { rotation?: number; flip?: boolean };
  return TURNS[`${rotation} ${flip}`] ?? null;
}

/** Clockwise degrees, then whether it is mirrored. */
const TURNS: Record<string, number> = {
  "0 false": 1,
  "0 true": 2,
  "180 false": 3,
  "180 true": 4,
  "90 true": 5,
  "90 false": 6,
  "270 true": 7,
  "270 false": 8,
};

/** The turns that read what is stored from its right, from below; as in `lariqa/photos/decoded.py`. */
const FROM_RIGHT = [2, 3, 7, 8];
const FROM_BOTTOM = [3, 4, 6, 7];

/** A part of a stored photo -> rows of the upright one: `count` rows of `width` pixels. */
function turned(part: Uint8Array, band: Uint8Array, width: number, count: number, turn: number): void {
  const from = new Uint32Array(part.buffer);
  const to = new Uint32Array(band.buffer);
  const swaps = turn >= 5;
  const stride = swaps ? count : width;
  const right = FROM_RIGHT.includes(turn);
  const bottom = FROM_BOTTOM.includes(turn);
  for (let row = 0, at = 0; row < count; row++) {
    for (let column = 0; column < width; column++, at++) {
      const [across, down] = swaps ? [row, column] : [column, row];
      const x = right ? stride - 1 - across : across;
      const y = bottom ? (swaps ? width : count) - 1 - down : down;
      to[at] = from[y * stride + x]!;
    }
  }
}

const DEEP_GREY =
  "The photo is grey with 16 bits and interlaced, of which the browser keeps the upper eight where the toolkit rounds: " +
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
