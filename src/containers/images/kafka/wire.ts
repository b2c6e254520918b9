/** Numbers and texts of Kafka's protocol, in their order. */
export class KafkaReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  /** @throws RangeError beyond the end */
  int(size: 1 | 2 | 4): number {
    const value = this.bytes.readIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  /** Null where there is none. @throws RangeError */
  text(): string | null {
    const length = this.int(2);
    if (length < 0) return null;
    if (this.#at + length > this.bytes.length) throw new RangeError('text beyond the end');
    const value = this.bytes.toString('utf8', this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  /** Items of an array; null where there is none. @throws RangeError for more than `limit` */
  array<T>(limit: number, read: () => T): T[] | null {
    const count = this.int(4);
    if (count < 0) return null;
    if (count > limit) throw new RangeError('array too long');
    return Array.from({ length: count }, read);
  }
}

export const int8 = (value: number): Buffer => Buffer.from([value & 0xff]);
export const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
export const text = (value: string | null): Buffer => {
  if (value === null) return int16(-1);
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([int16(bytes.length), bytes]);
};
export const array = (items: readonly Buffer[]): Buffer => Buffer.concat([int32(items.length), ...items]);

/** A message with its length before it. */
export const sized = (...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(body.length), body]);
};

/** What is served, and its versions. */
export const API = {
  metadata: { key: 3, min: 0, max: 4 },
  apiVersions: { key: 18, min: 0, max: 2 },
  createTopics: { key: 19, min: 0, max: 3 },
  deleteTopics: { key: 20, min: 0, max: 3 },
} as const;

export const ERROR = {
  none: 0,
  unknownTopic: 3,
  topicExists: 36,
  unsupportedVersion: 35,
  invalidPartitions: 37,
  policy: 44,
} as const;
