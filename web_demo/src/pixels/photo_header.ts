/** What a photo file says of itself before it is decoded: its kind, its size, how it lies, how deep its samples are. */

import { Bytes } from "./bytes.ts";

export type Kind = "JPEG" | "PNG" | "WebP" | "AVIF" | "HEIC" | "TIFF" | "BMP" | "GIF" | "PPM" | "camera RAW";

export interface PhotoHeader {
  readonly kind: Kind | null;
  /** Null where the header does not say, or this code does not read it: the decoder says it later. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** EXIF orientation of a WebP, which Chromium leaves to the page; 1 elsewhere. */
  readonly turn: number;
  /** Bits of a sample of a PNG; 8 elsewhere. */
  readonly depth: number;
  readonly isGrey: boolean;
  /** An animated PNG whose still picture is none of its frames. */
  readonly stillIsNoFrame: boolean;
}

const HEIC_BRANDS = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"];
const AVIF_BRANDS = ["avif", "avis"]; // an AVIF carries mif1 too
const NOTHING: PhotoHeader = { kind: null, size: null, turn: 1, depth: 8, isGrey: false, stillIsNoFrame: false };

export async function readHeader(blob: Blob): Promise<PhotoHeader> {
  const file = new Bytes(blob);
  const head = await file.text(0, 12);
  if (head.startsWith("\xff\xd8\xff")) return { ...NOTHING, kind: "JPEG", size: await jpegSize(file) };
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return png(file);
  if (head.startsWith("RIFF") && head.endsWith("WEBP")) return webp(file);
  if (head.startsWith("GIF8")) return { ...NOTHING, kind: "GIF", size: await sizeAt(file, 6, 2, true) };
  if (head.startsWith("BM")) return { ...NOTHING, kind: "BMP", size: await bmpSize(file) };
  if (head.slice(4, 8) === "ftyp") return boxes(file);
  if (/^(II\*\0|MM\0\*)/.test(head)) return { ...NOTHING, kind: head.slice(8, 10) === "CR" ? "camera RAW" : "TIFF" };
  if (/^P[1-6]\s/.test(head)) return { ...NOTHING, kind: "PPM" };
  return NOTHING;
}

async function sizeAt(file: Bytes, at: number, bytes: number, littleEndian = false) {
  return {
    width: await file.number(at, bytes, littleEndian),
    height: await file.number(at + bytes, bytes, littleEndian),
  };
}

/** Of the frame header (SOF), behind whatever a camera wrote before it. ITU-T T.81, B.2.2. */
async function jpegSize(file: Bytes): Promise<PhotoHeader["size"]> {
  for (let at = 2; at + 4 <= file.size;) {
    const [fill, marker] = await file.read(at, 2);
    if (fill !== 0xff) return null;
    if (marker === 0xff)
      at += 1; // padding
    else if (marker! >= 0xc0 && marker! <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker!)) {
      return { height: await file.number(at + 5, 2), width: await file.number(at + 7, 2) };
    } else if (marker === 0xd9 || marker === 0xda) return null;
    else at += 2 + (marker! >= 0xd0 && marker! <= 0xd8 ? 0 : await file.number(at + 2, 2));
  }
  return null;
}

async function png(file: Bytes): Promise<PhotoHeader> {
  const [depth, colour] = await file.read(24, 2);
  let [animated, framed] = [false, false];
  for (let at = 8, chunks = 0; at + 8 <= file.size && chunks < 1000; chunks++) {
    const kind = await file.text(at + 4, 4);
    if (kind === "IDAT" || kind === "IEND") break;
    if (kind === "acTL") animated = true;
    if (kind === "fcTL") framed = true;
    at += 12 + (await file.number(at, 4));
  }
  return {
    kind: "PNG",
    size: await sizeAt(file, 16, 4),
    turn: 1,
    depth: depth!,
    isGrey: colour === 0,
    stillIsNoFrame: animated && !framed,
  };
}

async function webp(file: Bytes): Promise<PhotoHeader> {
  const first = await file.text(12, 4);
  let size: PhotoHeader["size"] = null;
  let turn = 1;
  if (first === "VP8X") {
    size = { width: 1 + (await file.number(24, 3, true)), height: 1 + (await file.number(27, 3, true)) };
    for (let at = 12; at + 8 <= file.size;) {
      const length = await file.number(at + 4, 4, true);
      if ((await file.text(at, 4)) === "EXIF") turn = await exifOrientation(file, at + 8, Math.min(length, 1 << 16));
      at += 8 + length + (length % 2);
    }
  } else if (first === "VP8 ") {
    const { width, height } = await sizeAt(file, 26, 2, true);
    size = { width: width & 0x3fff, height: height & 0x3fff };
  } else if (first === "VP8L") {
    const bits = await file.number(21, 4, true);
    size = { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  return { ...NOTHING, kind: "WebP", size, turn };
}

/** EXIF 2.32, tag Orientation, of its first directory; what cannot be read counts as upright, as in viewers. */
async function exifOrientation(file: Bytes, at: number, length: number): Promise<number> {
  const data = await file.read(at, length);
  const start = String.fromCharCode(...data.subarray(0, 6)) === "Exif\0\0" ? 6 : 0;
  const view = new DataView(data.buffer, data.byteOffset + start, Math.max(0, data.length - start));
  try {
    const little = view.getUint16(0) === 0x4949;
    const directory = view.getUint32(4, little);
    for (let entry = 0; entry < view.getUint16(directory, little); entry++) {
      const place = directory + 2 + entry * 12;
      if (view.getUint16(place, little) === 0x0112) {
        const value = view.getUint16(place + 8, little);
        return value >= 1 && value <= 8 ? value : 1;
      }
    }
  } catch {
    return 1;
  }
  return 1;
}

async function bmpSize(file: Bytes): Promise<PhotoHeader["size"]> {
  const small = (await file.number(14, 4, true)) === 12;
  if (small) return sizeAt(file, 18, 2, true);
  const { width, height } = await sizeAt(file, 18, 4, true);
  return { width, height: Math.abs(height | 0) }; // a negative one: stored from the top
}

/** ISO 14496-12: the file type box tells HEIC and AVIF apart; sizes stand in `ispe` boxes, the largest is the picture's. */
async function boxes(file: Bytes): Promise<PhotoHeader> {
  const head = await file.text(0, Math.min(file.size, 1 << 16));
  const bytes = await file.number(0, 4);
  const brands = [8, ...Array.from({ length: 64 }, (_, i) => 16 + 4 * i)].filter((at) => at + 4 <= Math.max(bytes, 12));
  const has = (wanted: string[]) => brands.some((at) => wanted.includes(head.slice(at, at + 4)));
  const kind = has(AVIF_BRANDS) ? "AVIF" : has(HEIC_BRANDS) ? "HEIC" : null;
  let size: PhotoHeader["size"] = null;
  for (let at = head.indexOf("ispe"); at >= 0; at = head.indexOf("ispe", at + 4)) {
    const found = await sizeAt(file, at + 8, 4);
    if (!size || found.width * found.height > size.width * size.height) size = found;
  }
  return { ...NOTHING, kind, size };
}
