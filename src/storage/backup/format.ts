import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { KeyValue } from '../kv-store.js';

/**
 * A backup is lines of JSON (docs/store.md): the first says what it is, one for each object is in order of key, the last one
 * says how many there were and what the checksum of all lines before it is. Values are as the store has them, to the byte:
 * one that is JSON stands as it is, another, such as an encrypted one, in base64.
 */
export const FORMAT = 'kubette-backup';
export const VERSION = 1;

export interface Head {
  readonly format: string;
  readonly version: number;
  /** All objects are as they were at this revision. */
  readonly revision: number;
  /** RFC 3339. */
  readonly takenAt: string;
}

export interface Tail {
  readonly objects: number;
  /** Of all lines before this one, with their ends. */
  readonly sha256: string;
}

/** A file that is no backup, or a damaged one. `message` says why, in a line fit for a terminal. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

export interface BackupWriter {
  begin(head: Pick<Head, 'revision' | 'takenAt'>): Buffer;
  objects(page: readonly KeyValue[]): Buffer;
  end(): Buffer;
}

/** Writes a backup in pieces, and holds none of them. */
export function createBackupWriter(): BackupWriter {
  const hash = createHash('sha256');
  let objects = 0;
  const hashed = (bytes: Buffer): Buffer => {
    hash.update(bytes);
    return bytes;
  };
  const line = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
  return {
    begin: ({ revision, takenAt }) =>
      hashed(line({ format: FORMAT, version: VERSION, revision, takenAt } satisfies Head)),
    objects(page) {
      objects += page.length;
      return hashed(Buffer.concat(page.flatMap(piecesOf)));
    },
    end: () => line({ objects, sha256: hash.digest('hex') } satisfies Tail),
  };
}

const NEWLINE = 0x0a;
const [OPEN, CLOSE] = [Buffer.from('{"'), Buffer.from('}')];

/** Whether it can stand in a line of JSON as it is. What begins and ends as an object has been written as one. */
const isPlain = (value: Uint8Array): boolean =>
  OPEN.equals(value.subarray(0, OPEN.length)) &&
  CLOSE.equals(value.subarray(-CLOSE.length)) &&
  !value.includes(NEWLINE) &&
  isUtf8(value);

function piecesOf({ key, value, createRevision, modRevision }: KeyValue): Uint8Array[] {
  const head = `{"create":${createRevision},"mod":${modRevision},"key":${JSON.stringify(key)},`;
  return isPlain(value)
    ? [Buffer.from(`${head}"value":`), value, Buffer.from('}\n')]
    : [Buffer.from(`${head}"base64":"${Buffer.from(value).toString('base64')}"}\n`)];
}
