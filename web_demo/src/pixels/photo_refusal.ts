/** Why a file cannot be scored, in the words of `lariqa/photos/photo.py`. */

import { bytesInWords } from "../manifest/python_words.ts";
import { Refusal } from "../refusal.ts";
import type { Kind } from "./photo_header.ts";
import { MAX_PIXELS } from "./photo.ts";

export const KINDS = "JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or PPM";

export function empty(name: string): Refusal {
  return new Refusal(`${name}: expected a photo, came an empty file (0 bytes); copy or export the photo again`);
}

export function otherKind(name: string, beginning: Uint8Array): Refusal {
  return new Refusal(
    `${name}: expected a photo (${KINDS}), came a file of another kind or one too damaged to tell ` +
      `(it begins with ${bytesInWords(beginning.subarray(0, 12))}); export it again as JPEG or PNG`,
  );
}

export function damaged(name: string, reason: string): Refusal {
  return new Refusal(
    `${name}: expected a whole photo, came a damaged or truncated one (${reason}); copy or export the photo again`,
  );
}

export function tooLarge(name: string, width: number, height: number): Refusal {
  const megapixels = ((width * height) / 1e6).toFixed(1);
  return new Refusal(
    `${name}: expected at most ${MAX_PIXELS / 1e6} megapixels, came ${width}x${height} (${megapixels} megapixels); ` +
      "scale or crop the photo",
  );
}

export function cameraRaw(name: string): Refusal {
  return new Refusal(`${name}: expected a developed photo, came a camera RAW; develop it to JPEG, PNG or TIFF`);
}

export function notDecodedHere(name: string, kind: Kind): Refusal {
  const article = /^[AH]/.test(kind) ? "an" : "a";
  return new Refusal(
    `${name}: expected a photo that this browser decodes, came ${kind === "HEIC" ? "a" : article} ${kind}; ` +
      "export the photo as JPEG",
  );
}

export function stillIsNoFrame(name: string): Refusal {
  return new Refusal(
    `${name}: expected one picture, came an animated PNG whose still picture is none of its frames; ` +
      "save the one that is meant as PNG",
  );
}

export function unreadable(name: string, reason: string): Refusal {
  return new Refusal(`${name}: expected a file that can be read, came ${reason}; check the disk or the network`);
}
