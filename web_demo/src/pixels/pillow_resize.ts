/**
 * Pillow's antialiased bilinear resize of 8-bit pixels, in its own integers: the same bytes, first the width.
 *
 *     out_i = (2^21 + sum_j k_ij * in_j) >> 22,     k_ij = round(2^22 * triangle_ij / sum_j triangle_ij)
 *
 * Source: Pillow, `Resample.c`; why the width first: `lariqa/photos/views.py`. Proved against bytes from Python.
 */

import loopsInWasm from "./narrow.wat";

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
 * A whole photo, squeezed or stretched to a size, band by band as they come.
 *
 * Each row is narrowed, then added to the rows of the result that see it: two or three where the photo is made smaller. The two
 * loops are WebAssembly with SIMD, which the models need too.
 */
export class ResizedRows {
  /** The result: RGB, row by row. */
  readonly rgb: Uint8Array<ArrayBuffer>;
  private readonly down: BilinearFilter;
  private readonly memory = new WebAssembly.Memory({ initial: 1 });
  private readonly loops: Loops;
  /** Places in the memory: the filter across, a narrowed row, the ring of sums, then the band. */
  private readonly across: { readonly first: number; readonly starts: number; readonly weights: number };
  private readonly narrow: number;
  private readonly ring: number;
  private readonly band: number;
  private readonly open: number; // rows of the result that are open at a time: the ring's length
  private begun = 0; // rows of the result that some row of the photo went into
  private done = 0;

  constructor(
    private readonly width: number,
    height: number,
    private readonly outWidth: number,
    private readonly outHeight: number,
  ) {
    const across = new BilinearFilter(width, outWidth);
    this.down = new BilinearFilter(height, outHeight);
    this.open = mostOpen(this.down);
    this.rgb = new Uint8Array(outWidth * outHeight * 3);
    this.loops = new WebAssembly.Instance(theModule(), { page: { memory: this.memory } }).exports as unknown as Loops;
    const first = 0;
    const starts = first + across.first.byteLength;
    const weights = starts + across.starts.byteLength;
    this.across = { first, starts, weights };
    this.narrow = aligned(weights + across.weights.byteLength);
    this.ring = this.narrow + 16 * outWidth;
    this.band = this.ring + 16 * outWidth * this.open;
    this.reserve(this.band);
    new Int32Array(this.memory.buffer, first).set(across.first);
    new Int32Array(this.memory.buffer, starts).set(across.starts);
    new Int32Array(this.memory.buffer, weights).set(across.weights);
  }

  /** Rows `first..first + count - 1`. All rows must come, in their order. */
  take(rgba: Uint8Array | Uint8ClampedArray, first: number, count: number): void {
    const line = this.width * 4;
    this.reserve(this.band + line * count);
    new Uint8Array(this.memory.buffer).set(rgba.subarray(0, line * count), this.band);
    for (let row = 0; row < count; row++) this.takeRow(first + row, this.band + row * line);
  }

  private takeRow(y: number, at: number): void {
    const { down, outHeight, outWidth, across, narrow, loops } = this;
    loops.narrow(at, across.first, across.starts, across.weights, narrow, outWidth);
    while (this.begun < outHeight && down.first[this.begun]! <= y) {
      new Int32Array(this.memory.buffer, this.place(this.begun++), outWidth * 4).fill(HALF);
    }
    for (let i = this.done; i < this.begun; i++) {
      const weight = down.weights[down.starts[i]! + y - down.first[i]!]!;
      if (down.end(i) > y) loops.add(this.place(i), narrow, weight, outWidth);
    }
    for (; this.done < this.begun && down.end(this.done) <= y + 1; this.done++) {
      const sums = new Int32Array(this.memory.buffer, this.place(this.done), outWidth * 4);
      for (let from = 0, to = this.done * outWidth * 3; from < sums.length; from += 4, to += 3) {
        this.rgb[to] = sums[from]! >> BITS;
        this.rgb[to + 1] = sums[from + 1]! >> BITS;
        this.rgb[to + 2] = sums[from + 2]! >> BITS;
      }
    }
  }

  /** Where the sums of a row of the result are. */
  private place(i: number): number {
    return this.ring + 16 * this.outWidth * (i % this.open);
  }

  private reserve(bytes: number): void {
    const missing = Math.ceil((bytes - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.memory.grow(missing);
  }
}

const PAGE = 1 << 16;

interface Loops {
  narrow(row: number, first: number, starts: number, weights: number, out: number, outputs: number): void;
  add(sums: number, row: number, weight: number, outputs: number): void;
}

let compiled: WebAssembly.Module | null = null;

function theModule(): WebAssembly.Module {
  return (compiled ??= new WebAssembly.Module(loopsInWasm));
}

function aligned(address: number): number {
  return Math.ceil(address / 16) * 16;
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
