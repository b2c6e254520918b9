/** Reads the little encodings of LevelDB's files one after the other. Every read past the end throws. */
export class ByteReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.#at >= this.bytes.length;
  }

  /** A whole number of up to 2^53. @throws RangeError */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.bytes.readUInt8(this.#at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number is too long');
  }

  /** @throws RangeError */
  take(length: number): Buffer {
    if (this.#at + length > this.bytes.length) throw new RangeError('cut short');
    return this.bytes.subarray(this.#at, (this.#at += length));
  }
}
