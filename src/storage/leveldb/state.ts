import { StorageError } from '../kv-store.js';
import { crc32c } from './crc32c.js';
import { checksumOf } from './layout.js';

/**
 * What the store holds, told in a few numbers: written with every group of commits, and compared with what is really
 * there when the store is opened. A value that vanished, or came back from an older time, shows here.
 */
export interface State {
  readonly revision: number;
  /** How many keys there are. */
  readonly keys: number;
  /** The sum of the checksums of their values, modulo 2^48. */
  readonly sum: number;
}

const SUM_BELOW = 2 ** 48;

export const NOTHING: State = { revision: 0, keys: 0, sum: 0 };

/** The state after a key's value was replaced; `undefined` is no value. */
export function replaced(state: State, before: Buffer | undefined, after: Buffer | undefined): State {
  const gone = before === undefined ? 0 : checksumOf(before);
  const come = after === undefined ? 0 : checksumOf(after);
  return {
    revision: state.revision,
    keys: state.keys - Number(before !== undefined) + Number(after !== undefined),
    sum: (state.sum - gone + come + SUM_BELOW) % SUM_BELOW,
  };
}

const sealed = (text: string): Buffer =>
  Buffer.from(`${text} ${crc32c(Buffer.from(text)).toString(16).padStart(8, '0')}`);

/** The text that was sealed. @throws StorageError 'damaged' */
function unsealed(bytes: Buffer, what: string): string {
  const all = bytes.toString('latin1');
  const text = all.slice(0, -9);
  if (bytes.length < 9 || sealed(text).toString('latin1') !== all)
    throw new StorageError('damaged', `its ${what} is damaged: it reads ${JSON.stringify(all.slice(0, 100))}`);
  return text;
}

export const encodeState = ({ revision, keys, sum }: State): Buffer => sealed(`${revision} ${keys} ${sum}`);

/** @throws StorageError 'damaged' */
export function decodeState(bytes: Buffer): State {
  const [revision = 0, keys = 0, sum = 0] = unsealed(bytes, 'newest revision').split(' ').map(Number);
  return { revision, keys, sum };
}

export const encodeCompacted = (revision: number): Buffer => sealed(String(revision));

/** @throws StorageError 'damaged' */
export const decodeCompacted = (bytes: Buffer): number => Number(unsealed(bytes, 'compacted revision'));
