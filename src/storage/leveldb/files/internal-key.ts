/** What LevelDB keeps of one write to one key. */
export interface Entry {
  readonly key: Buffer;
  /** Of two writes to a key the one with the higher sequence is the newer. */
  readonly sequence: number;
  /** undefined: it was deleted. */
  readonly value: Buffer | undefined;
}

/** Behind a key in a table: a byte that says what was done, and seven of the sequence. */
const TRAILER = 8;
export const DELETED = 0;
export const PUT = 1;
/** Sequences count writes, and six bytes of them are never used up. */
const SEQUENCE_BYTES = 6;

/** @throws RangeError */
export function userKey(internal: Buffer): Buffer {
  if (internal.length < TRAILER) throw new RangeError('a key is too short');
  return internal.subarray(0, -TRAILER);
}

/** @throws RangeError */
export function entryOf(internal: Buffer, value: Buffer): Entry {
  const key = userKey(internal);
  const type = internal.readUInt8(key.length);
  if (type !== PUT && type !== DELETED) throw new RangeError('an entry is of an unknown kind');
  const sequence = internal.readUIntLE(key.length + 1, SEQUENCE_BYTES);
  return { key, sequence, value: type === PUT ? value : undefined };
}
