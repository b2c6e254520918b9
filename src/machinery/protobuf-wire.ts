/** Protocol buffers on the wire: tags, varints, lengths. Errors carry the texts of gogo/protobuf's generated code. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

const EOF = 'unexpected EOF';

export class ProtobufReader {
  constructor(
    private readonly bytes: Buffer,
    private at = 0,
    private readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  /** How many bytes there are still to read. */
  get left(): number {
    return this.end - this.at;
  }

  /** The length of the message that comes next, which stays; 0 when there is none. */
  peekLength(): number {
    const { at } = this;
    try {
      return this.length();
    } catch (error) {
      if (error instanceof ProtobufError) return 0;
      throw error;
    } finally {
      this.at = at;
    }
  }

  /** Two halves of an unsigned varint: below 2^32 and above. */
  private halves(): [low: number, high: number] {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw new ProtobufError(EOF);
      const byte = this.bytes[this.at++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) return [low >>> 0, high >>> 0];
    }
    throw new ProtobufError('proto: integer overflow');
  }

  /** int32: the low half, signed. */
  int32(): number {
    return this.halves()[0] | 0;
  }

  /** int64; beyond 2^53 the nearest number. */
  int64(): number {
    const [low, high] = this.halves();
    return (high | 0) * 0x1_0000_0000 + low;
  }

  bool(): boolean {
    const [low, high] = this.halves();
    return low !== 0 || high !== 0;
  }

  tag(): { number: number; wire: number } {
    const [low] = this.halves();
    return { number: low >>> 3, wire: low & 7 };
  }

  double(): number {
    if (this.at + 8 > this.end) throw new ProtobufError(EOF);
    this.at += 8;
    return this.bytes.readDoubleLE(this.at - 8);
  }

  private length(): number {
    const length = this.int64();
    if (length < 0) throw new ProtobufError('proto: negative length found during unmarshaling');
    if (this.at + length > this.end) throw new ProtobufError(EOF);
    return length;
  }

  /** A nested message, or packed numbers. */
  message(): ProtobufReader {
    const length = this.length();
    this.at += length;
    return new ProtobufReader(this.bytes, this.at - length, this.at);
  }

  string(): string {
    const length = this.length();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  data(): Buffer {
    const length = this.length();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** @throws ProtobufError for wire types that have no length */
  skip(wire: number): void {
    if (wire === 0) this.halves();
    else if (wire === 1) this.double();
    else if (wire === 2) this.data();
    else if (wire === 5) {
      if (this.at + 4 > this.end) throw new ProtobufError(EOF);
      this.at += 4;
    } else throw new ProtobufError(`proto: illegal wireType ${wire}`);
  }
}

/**
 * Writes from the last byte to the first, as gogo/protobuf does: a message's length is known once it has been written.
 * So everything is called in reverse: value before tag, last field before first.
 */
export class ProtobufWriter {
  private buffer: Buffer;
  private at: number;

  constructor(size = 4096) {
    this.buffer = Buffer.allocUnsafe(size);
    this.at = size;
  }

  /** How much has been written; what a `tagged` call later takes as its beginning. */
  get mark(): number {
    return this.buffer.length - this.at;
  }

  private room(count: number): void {
    if (this.at >= count) return;
    const used = this.mark;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, used + count));
    this.buffer.copy(grown, grown.length - used, this.at);
    this.buffer = grown;
    this.at = grown.length - used;
  }

  varint(value: number): void {
    if (value < 0 || value > 0x7fffffff) return this.bigVarint(value);
    let count = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) count++;
    this.room(count);
    this.at -= count;
    let rest = value;
    for (let i = 0; i < count - 1; i++) {
      this.buffer[this.at + i] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.at + count - 1] = rest;
  }

  private bigVarint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
    const bytes: number[] = [];
    do {
      const bits = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest === 0n ? bits : bits | 0x80);
    } while (rest !== 0n);
    this.data(Buffer.from(bytes));
  }

  data(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.at -= bytes.length;
    this.buffer.set(bytes, this.at);
  }

  string(text: string): void {
    const length = Buffer.byteLength(text);
    this.room(length);
    this.at -= length;
    this.buffer.write(text, this.at, length, 'utf8');
  }

  double(value: number): void {
    this.room(8);
    this.at -= 8;
    this.buffer.writeDoubleLE(value, this.at);
  }

  /** A tag before a varint (0) or fixed64 (1). */
  tag(number: number, wire: 0 | 1): void {
    this.varint((number << 3) | wire);
  }

  /** The length and tag before what has been written since `mark`. */
  tagged(number: number, mark: number): void {
    this.varint(this.mark - mark);
    this.varint((number << 3) | 2);
  }

  stringField(number: number, text: string): void {
    const mark = this.mark;
    this.string(text);
    this.tagged(number, mark);
  }

  dataField(number: number, bytes: Uint8Array): void {
    const mark = this.mark;
    this.data(bytes);
    this.tagged(number, mark);
  }

  finish(): Buffer {
    return this.buffer.subarray(this.at);
  }
}
