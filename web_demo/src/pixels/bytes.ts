/** Reads a file's bytes piece by piece, so that the header of a large photo costs nothing. */

const PIECE = 1 << 16;

export class Bytes {
  private piece = new Uint8Array();
  private begins = 0;

  constructor(private readonly blob: Blob) {}

  get size(): number {
    return this.blob.size;
  }

  /** `count` bytes from `at` on; fewer at the end of the file. */
  async read(at: number, count: number): Promise<Uint8Array> {
    if (at < this.begins || at + count > this.begins + this.piece.length) {
      this.begins = at;
      this.piece = new Uint8Array(await this.blob.slice(at, at + Math.max(count, PIECE)).arrayBuffer());
    }
    return this.piece.subarray(at - this.begins, at - this.begins + count);
  }

  async text(at: number, count: number): Promise<string> {
    return Array.from(await this.read(at, count), (byte) => String.fromCharCode(byte)).join("");
  }

  /** A whole number of 2, 3 or 4 bytes; 0 behind the end of the file. */
  async number(at: number, count: number, littleEndian = false): Promise<number> {
    const bytes = [...(await this.read(at, count))];
    return (littleEndian ? bytes.reverse() : bytes).reduce((value, byte) => value * 256 + byte, 0);
  }
}
