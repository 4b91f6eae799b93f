/**
 * Pillow's antialiased bilinear resize of 8-bit pixels, in its own integers: the same bytes, first the width.
 *
 *     out_i = (2^21 + sum_j k_ij * in_j) >> 22,     k_ij = round(2^22 * triangle_ij / sum_j triangle_ij)
 *
 * Source: Pillow, `Resample.c`; why the width first: `lariqa/photos/views.py`. Proved against bytes from Python.
 */

const BITS = 22; // 32 bits, less 8 for the pixel, less 2 for headroom
const HALF = 1 << (BITS - 1);

/** One axis: output i is the sum of `weights[starts[i]..starts[i + 1]]` times the inputs from `first[i]` on. */
export class BilinearFilter {
  readonly first: Int32Array;
  readonly starts: Int32Array;
  readonly weights: Int32Array;

  constructor(inputs: number, outputs: number) {
    const scale = inputs / outputs;
    const support = Math.max(scale, 1);
    this.first = new Int32Array(outputs);
    this.starts = new Int32Array(outputs + 1);
    const weights: number[] = [];
    for (let i = 0; i < outputs; i++) {
      const centre = (i + 0.5) * scale; // in input samples
      const low = Math.max(Math.trunc(centre - support + 0.5), 0);
      const high = Math.min(Math.trunc(centre + support + 0.5), inputs);
      const triangle: number[] = [];
      let total = 0; // one by one, as Pillow adds them: another order could round another way
      for (let tap = low; tap < high; tap++) {
        const weight = Math.max(0, 1 - Math.abs((tap - centre + 0.5) * (1 / support)));
        triangle.push(weight);
        total += weight;
      }
      for (const weight of triangle) weights.push(Math.floor((weight / total) * 2 ** BITS + 0.5));
      this.first[i] = low;
      this.starts[i + 1] = weights.length;
    }
    this.weights = Int32Array.from(weights);
  }

  /** One past the last input that output i sees. */
  end(i: number): number {
    return this.first[i]! + this.starts[i + 1]! - this.starts[i]!;
  }
}

/**
 * A whole photo, squeezed or stretched to a size, row by row as they come.
 *
 * Each row is narrowed, then added to the rows of the result that see it: two or three where the photo is made smaller.
 */
export class ResizedRows {
  /** The result: RGB, row by row. */
  readonly rgb: Uint8Array<ArrayBuffer>;
  private readonly across: BilinearFilter;
  private readonly down: BilinearFilter;
  private readonly narrow: Int32Array;
  private readonly sums: Int32Array[]; // a ring, as long as the rows of the result that are open at a time
  private begun = 0; // rows of the result that some row of the photo went into
  private done = 0;

  constructor(
    width: number,
    height: number,
    outWidth: number,
    private readonly outHeight: number,
  ) {
    this.across = new BilinearFilter(width, outWidth);
    this.down = new BilinearFilter(height, outHeight);
    this.narrow = new Int32Array(outWidth * 3);
    this.rgb = new Uint8Array(outWidth * outHeight * 3);
    this.sums = Array.from({ length: mostOpen(this.down) }, () => new Int32Array(outWidth * 3));
  }

  /** The photo's row y, which begins at `at` in `rgba`. All rows must come, in their order. */
  take(y: number, rgba: Uint8Array | Uint8ClampedArray, at: number): void {
    const { down, narrow, outHeight } = this;
    narrowed(this.across, rgba, at, narrow);
    while (this.begun < outHeight && down.first[this.begun]! <= y) {
      this.place(this.begun++).fill(HALF);
    }
    for (let i = this.done; i < this.begun; i++) {
      if (down.end(i) > y) added(this.place(i), narrow, down.weights[down.starts[i]! + y - down.first[i]!]!);
    }
    while (this.done < this.begun && down.end(this.done) <= y + 1) {
      shifted(this.place(this.done), this.rgb, this.done * narrow.length);
      this.done++;
    }
  }

  private place(i: number): Int32Array {
    return this.sums[i % this.sums.length]!;
  }
}

function narrowed(filter: BilinearFilter, rgba: Uint8Array | Uint8ClampedArray, at: number, out: Int32Array): void {
  const { first, starts, weights } = filter;
  const outputs = first.length;
  for (let x = 0, to = 0; x < outputs; x++, to += 3) {
    let red = HALF;
    let green = HALF;
    let blue = HALF;
    let from = at + first[x]! * 4;
    for (let tap = starts[x]!, end = starts[x + 1]!; tap < end; tap++, from += 4) {
      const weight = weights[tap]!;
      red = (red + weight * rgba[from]!) | 0;
      green = (green + weight * rgba[from + 1]!) | 0;
      blue = (blue + weight * rgba[from + 2]!) | 0;
    }
    out[to] = red >> BITS;
    out[to + 1] = green >> BITS;
    out[to + 2] = blue >> BITS;
  }
}

function added(sums: Int32Array, row: Int32Array, weight: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i]! + weight * row[i]!) | 0;
}

function shifted(sums: Int32Array, out: Uint8Array, at: number): void {
  for (let i = 0; i < sums.length; i++) out[at + i] = sums[i]! >> BITS;
}

/** How many outputs are at most begun and not finished at a time. */
function mostOpen(filter: BilinearFilter): number {
  let most = 1;
  for (let i = 0, done = 0; i < filter.first.length; i++) {
    while (filter.end(done) <= filter.first[i]!) done++;
    most = Math.max(most, i - done + 1);
  }
  return most;
}
