import { StorageError, type KeyValue } from '../kv-store.js';
import { crc32c, crc32cOfText } from './crc32c.js';

/**
 * How the store lies in LevelDB (all keys UTF-8):
 *
 *   c<key>                     what a key holds now: create and mod revision, checksum, value
 *   l<revision:16><index:6><key>  one change: what it was, and what the key held before
 *   m<name>                    format, state, compacted
 *
 * The log is an undo log: each value is stored once, in `c` while it is current and in the log entry that replaced it
 * afterwards. The state at revision R is the current one with the oldest entry above R of each key undone.
 *
 * Every value has a checksum over itself and its key: LevelDB does not look at its own when it reads.
 */
export const FORMAT = 'kubette-2';
/** Values without checksums, and no word about them in all. Brought up to date when it is opened. */
export const OLD_FORMAT = 'kubette-1';

export const META_FORMAT = 'mformat';
export const META_STATE = 'mrevision';
export const META_COMPACTED = 'mcompacted';

export const CURRENT = 'c';
export const LOG = 'l';
const REVISION_DIGITS = 16;
const INDEX_DIGITS = 6;

/** Revisions take 6 bytes, of which the first bit is free: 2^47 of them. */
const REVISION_BYTES = 6;
const SUM_AT = 2 * REVISION_BYTES;
const HEAD = SUM_AT + 4;
/** The first bit of a value that has a checksum. */
const CHECKED = 0x80;

export const currentKey = (key: string): string => CURRENT + key;

/** Sorts before every log entry of `revision` and after every one before it. */
export const logStart = (revision: number): string => LOG + String(revision).padStart(REVISION_DIGITS, '0');

export const logKey = (revision: number, index: number, key: string): string =>
  logStart(revision) + String(index).padStart(INDEX_DIGITS, '0') + key;

export const LOG_END = 'm';

export const logRevision = (logKey: string): number => Number(logKey.slice(1, 1 + REVISION_DIGITS));
export const loggedKey = (logKey: string): string => logKey.slice(1 + REVISION_DIGITS + INDEX_DIGITS);

const damagedValue = (key: string): StorageError =>
  new StorageError('damaged', `the value of ${key} is damaged: it does not match its checksum`);

const sumOf = (key: string, bytes: Buffer): number => crc32c(bytes, crc32c(bytes, crc32cOfText(key), 0, SUM_AT), HEAD);

export function encodeCurrent(key: string, createRevision: number, modRevision: number, value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + value.length);
  bytes.writeUIntBE(createRevision, 0, REVISION_BYTES);
  bytes.writeUInt8(bytes.readUInt8(0) | CHECKED, 0);
  bytes.writeUIntBE(modRevision, REVISION_BYTES, REVISION_BYTES);
  bytes.set(value, HEAD);
  bytes.writeUInt32BE(sumOf(key, bytes), SUM_AT);
  return bytes;
}

/** @throws StorageError 'damaged' */
export function decodeCurrent(key: string, bytes: Buffer): KeyValue {
  if (bytes.length < HEAD || bytes.readUInt32BE(SUM_AT) !== sumOf(key, bytes)) throw damagedValue(key);
  return {
    key,
    value: bytes.subarray(HEAD),
    createRevision: bytes.readUIntBE(0, REVISION_BYTES) - CHECKED * 2 ** 40,
    modRevision: bytes.readUIntBE(REVISION_BYTES, REVISION_BYTES),
  };
}

/** The checksum within a value encoded by encodeCurrent. */
export const checksumOf = (bytes: Buffer): number => bytes.readUInt32BE(SUM_AT);

/** A value as OLD_FORMAT has it, with its checksum; one that has one already as it is. */
export function withChecksum(key: string, bytes: Buffer): Buffer {
  if (bytes.length < SUM_AT) throw damagedValue(key);
  if ((bytes.readUInt8(0) & CHECKED) !== 0) return bytes;
  const revision = (at: number): number => bytes.readUIntBE(at, REVISION_BYTES);
  return encodeCurrent(key, revision(0), revision(REVISION_BYTES), bytes.subarray(SUM_AT));
}

/** One entry of the log, without its key and revision. */
export interface Change {
  readonly type: 'put' | 'delete';
  /** Encoded by encodeCurrent. */
  readonly previous: Buffer | undefined;
}

const PUT = 1;
const HAD_PREVIOUS = 2;
const CHANGE_HEAD = 5;

/** Over the entry's key, its flags, and the checksum of the value it holds. */
const changeSum = (logKey: string, flags: number, previous: Buffer | undefined): number =>
  crc32c(
    Buffer.concat([Buffer.of(flags), ...(previous === undefined ? [] : [previous.subarray(SUM_AT, HEAD)])]),
    crc32cOfText(logKey),
  );

export function encodeChange(logKey: string, { type, previous }: Change): Buffer {
  const flags = (type === 'put' ? PUT : 0) | (previous === undefined ? 0 : HAD_PREVIOUS);
  const head = Buffer.allocUnsafe(CHANGE_HEAD);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(changeSum(logKey, flags, previous), 1);
  return previous === undefined ? head : Buffer.concat([head, previous]);
}

/** @throws StorageError 'damaged' */
export function decodeChange(logKey: string, bytes: Buffer): Change {
  const flags = bytes.length < CHANGE_HEAD ? 0 : bytes.readUInt8(0);
  const previous = (flags & HAD_PREVIOUS) === 0 ? undefined : bytes.subarray(CHANGE_HEAD);
  if (bytes.length < CHANGE_HEAD || bytes.readUInt32BE(1) !== changeSum(logKey, flags, previous))
    throw damagedValue(logKey);
  return { type: (flags & PUT) === 0 ? 'delete' : 'put', previous };
}
