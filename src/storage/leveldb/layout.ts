import type { KeyValue } from '../kv-store.js';

/**
 * How the store lies in LevelDB (all keys UTF-8):
 *
 *   c<key>                     what a key holds now: create and mod revision, value
 *   l<revision:16><index:6><key>  one change: what it was, and what the key held before
 *   m<name>                    format, revision, compacted
 *
 * The log is an undo log: each value is stored once, in `c` while it is current and in the log entry that replaced it
 * afterwards. The state at revision R is the current one with the oldest entry above R of each key undone.
 */
export const FORMAT = 'kubette-1';

export const META_FORMAT = 'mformat';
export const META_REVISION = 'mrevision';
export const META_COMPACTED = 'mcompacted';

export const CURRENT = 'c';
const LOG = 'l';
const REVISION_DIGITS = 16;
const INDEX_DIGITS = 6;

/** Revisions take 6 bytes: 2^48 of them. */
const REVISION_BYTES = 6;

export const currentKey = (key: string): string => CURRENT + key;

/** Sorts before every log entry of `revision` and after every one before it. */
export const logStart = (revision: number): string => LOG + String(revision).padStart(REVISION_DIGITS, '0');

export const logKey = (revision: number, index: number, key: string): string =>
  logStart(revision) + String(index).padStart(INDEX_DIGITS, '0') + key;

export const LOG_END = 'm';

export const logRevision = (logKey: string): number => Number(logKey.slice(1, 1 + REVISION_DIGITS));
export const loggedKey = (logKey: string): string => logKey.slice(1 + REVISION_DIGITS + INDEX_DIGITS);

export function encodeCurrent(createRevision: number, modRevision: number, value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(2 * REVISION_BYTES + value.length);
  bytes.writeUIntBE(createRevision, 0, REVISION_BYTES);
  bytes.writeUIntBE(modRevision, REVISION_BYTES, REVISION_BYTES);
  bytes.set(value, 2 * REVISION_BYTES);
  return bytes;
}

export const decodeCurrent = (key: string, bytes: Buffer): KeyValue => ({
  key,
  value: bytes.subarray(2 * REVISION_BYTES),
  createRevision: bytes.readUIntBE(0, REVISION_BYTES),
  modRevision: bytes.readUIntBE(REVISION_BYTES, REVISION_BYTES),
});

/** One entry of the log, without its key and revision. */
export interface Change {
  readonly type: 'put' | 'delete';
  /** Encoded by encodeCurrent. */
  readonly previous: Buffer | undefined;
}

const PUT = 1;
const HAD_PREVIOUS = 2;

export function encodeChange(change: Change): Buffer {
  const flags = (change.type === 'put' ? PUT : 0) | (change.previous === undefined ? 0 : HAD_PREVIOUS);
  return Buffer.concat([Buffer.of(flags), ...(change.previous === undefined ? [] : [change.previous])]);
}

export function decodeChange(bytes: Buffer): Change {
  const flags = bytes.readUInt8(0);
  return {
    type: (flags & PUT) === 0 ? 'delete' : 'put',
    previous: (flags & HAD_PREVIOUS) === 0 ? undefined : bytes.subarray(1),
  };
}
