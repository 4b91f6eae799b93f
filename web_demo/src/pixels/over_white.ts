/** Transparency, over the white page of browsers and gallery apps, in Pillow's integers (`Image.alpha_composite`). */

/** The same pixels, opaque; changed in place where some are not. */
export function layOverWhite<Bytes extends Uint8Array | Uint8ClampedArray>(rgba: Bytes, pixels: number): Bytes {
  const words = new Uint32Array(rgba.buffer, rgba.byteOffset, pixels); // little-endian: alpha is the upper byte
  let all = 0xffffffff;
  for (let i = 0; i < pixels; i++) all &= words[i]!;
  if (all >>> 24 === 255) return rgba;
  for (let at = 0; at < pixels * 4; at += 4) {
    const alpha = rgba[at + 3]!;
    if (alpha === 255) continue;
    for (let channel = at; channel < at + 3; channel++) rgba[channel] = alpha ? blended(rgba[channel]!, alpha) : 255;
    rgba[at + 3] = 255;
  }
  return rgba;
}

/** With an opaque background Pillow's two weights are alpha and 255 - alpha, with 7 bits behind the point. */
function blended(value: number, alpha: number): number {
  const sum = value * (alpha << 7) + 255 * ((255 - alpha) << 7) + (0x80 << 7);
  return ((sum >> 8) + sum) >> 15;
}
