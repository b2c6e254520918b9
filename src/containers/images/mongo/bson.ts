/** What a document may hold, as far as commands need it. */
export type Value = string | number | bigint | boolean | null | Date | Buffer | readonly Value[] | Document;
export type Document = ReadonlyMap<string, Value>;

/** Bytes that are no BSON, or of a kind that no command needs. */
export class BsonError extends Error {
  override readonly name = 'BsonError';
}

const MAX_DEPTH = 16;
const TYPE = {
  double: 1,
  text: 2,
  document: 3,
  array: 4,
  binary: 5,
  objectId: 7,
  boolean: 8,
  date: 9,
  null: 10,
  int32: 16,
  timestamp: 17,
  int64: 18,
};

export const documentOf = (entries: Readonly<Record<string, Value>>): Document => new Map(Object.entries(entries));
export const isDocument = (value: Value | undefined): value is Document => value instanceof Map;

/** The document at `at`, and where it ends. @throws BsonError */
export function decode(bytes: Buffer, at = 0, depth = 0): { document: Document; end: number } {
  if (depth > MAX_DEPTH || at + 5 > bytes.length) throw new BsonError('document beyond the end');
  const end = at + bytes.readInt32LE(at);
  if (end > bytes.length || end < at + 5 || bytes[end - 1] !== 0) throw new BsonError('document of a wrong size');
  const document = new Map<string, Value>();
  for (let next = at + 4; next < end - 1;) {
    const type = bytes[next] ?? 0;
    const nameEnd = bytes.indexOf(0, next + 1);
    if (nameEnd < 0 || nameEnd >= end) throw new BsonError('name without an end');
    const name = bytes.toString('utf8', next + 1, nameEnd);
    const { value, size } = valueAt(bytes.subarray(0, end - 1), nameEnd + 1, type, depth);
    document.set(name, value);
    next = nameEnd + 1 + size;
  }
  return { document, end };
}

function valueAt(bytes: Buffer, at: number, type: number, depth: number): { value: Value; size: number } {
  const need = (size: number): number => {
    if (size < 0 || at + size > bytes.length) throw new BsonError('value beyond the end');
    return size;
  };
  switch (type) {
    case TYPE.double:
      return { size: need(8), value: bytes.readDoubleLE(at) };
    case TYPE.text: {
      const length = bytes.readInt32LE(need(4) && at);
      if (length < 1) throw new BsonError('text of a wrong size');
      need(4 + length);
      return { size: 4 + length, value: bytes.toString('utf8', at + 4, at + 3 + length) };
    }
    case TYPE.document:
    case TYPE.array: {
      const { document, end } = decode(bytes, at, depth + 1);
      return { size: end - at, value: type === TYPE.array ? [...document.values()] : document };
    }
    case TYPE.binary: {
      const length = bytes.readInt32LE(need(5) && at);
      if (length < 0) throw new BsonError('bytes of a wrong size');
      need(5 + length);
      return { size: 5 + length, value: Buffer.from(bytes.subarray(at + 5, at + 5 + length)) };
    }
    case TYPE.objectId:
      return { size: need(12), value: bytes.toString('hex', at, at + 12) };
    case TYPE.boolean:
      return { size: need(1), value: bytes[at] === 1 };
    case TYPE.date:
      return { size: need(8), value: new Date(Number(bytes.readBigInt64LE(at))) };
    case TYPE.null:
      return { size: 0, value: null };
    case TYPE.int32:
      return { size: need(4), value: bytes.readInt32LE(at) };
    case TYPE.timestamp:
    case TYPE.int64:
      return { size: need(8), value: bytes.readBigInt64LE(at) };
    default:
      throw new BsonError(`type ${type} is not simulated`);
  }
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
const int64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
};

export function encode(document: Document): Buffer {
  const body = Buffer.concat(
    [...document].map(([name, value]) => {
      const { type, bytes } = encoded(value);
      return Buffer.concat([Buffer.from([type]), Buffer.from(`${name.replaceAll('\0', '')}\0`, 'utf8'), bytes]);
    }),
  );
  return Buffer.concat([int32(body.length + 5), body, Buffer.from([0])]);
}

function encoded(value: Value): { type: number; bytes: Buffer } {
  if (value === null) return { type: TYPE.null, bytes: Buffer.alloc(0) };
  if (typeof value === 'string') {
    const text = Buffer.from(`${value}\0`, 'utf8');
    return { type: TYPE.text, bytes: Buffer.concat([int32(text.length), text]) };
  }
  if (typeof value === 'boolean') return { type: TYPE.boolean, bytes: Buffer.from([Number(value)]) };
  if (typeof value === 'bigint') return { type: TYPE.int64, bytes: int64(value) };
  if (typeof value === 'number') {
    if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) return { type: TYPE.int32, bytes: int32(value) };
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return { type: TYPE.double, bytes };
  }
  if (value instanceof Date) return { type: TYPE.date, bytes: int64(BigInt(value.getTime())) };
  if (Buffer.isBuffer(value))
    return { type: TYPE.binary, bytes: Buffer.concat([int32(value.length), Buffer.from([0]), value]) };
  if (value instanceof Map) return { type: TYPE.document, bytes: encode(value as Document) };
  const items = value as readonly Value[];
  return { type: TYPE.array, bytes: encode(new Map(items.map((item, i) => [String(i), item]))) };
}
