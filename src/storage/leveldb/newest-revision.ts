import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32c } from './crc32c.js';

const DIGITS = 16;
/** Revision, a space, its checksum, a line feed. */
const LINE = DIGITS + 10;

const checksum = (digits: string): string => crc32c(Buffer.from(digits)).toString(16).padStart(8, '0');

function line(revision: number): Buffer {
  const digits = String(revision).padStart(DIGITS, '0');
  return Buffer.from(`${digits} ${checksum(digits)}\n`);
}

/** What the file says; 'damaged' when neither of its lines can be believed. */
export type Said = number | 'missing' | 'damaged';

/**
 * The newest acknowledged revision, in a small file beside the store: a log that was removed or cut looks like one that
 * was never written, and only something outside it can tell. It has two lines, written by turns, so that one always
 * stands.
 *
 * It is written after a group of commits is on disk and before they are acknowledged, so it never says too much; it is
 * synced right after, beside the next group's write, so it costs no second sync: a killed process leaves it exact, a
 * machine that lost its power may leave it some commits behind, never ahead.
 */
export interface NewestRevision {
  write(revision: number): Promise<void>;
  close(): Promise<void>;
}

export async function readNewestRevision(path: string): Promise<Said> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw error;
  }
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2 * LINE + 1), 0, 2 * LINE + 1, 0);
    const said = [0, LINE].flatMap(at => {
      const text = buffer.subarray(at, Math.min(at + LINE, bytesRead)).toString('latin1');
      const [, digits = '', sum = ''] = /^(\d{16}) ([0-9a-f]{8})\n$/.exec(text) ?? [];
      return digits !== '' && checksum(digits) === sum ? [Number(digits)] : [];
    });
    return said.length === 0 ? 'damaged' : Math.max(...said);
  } finally {
    await file.close();
  }
}

/**
 * Replaces the file by one that says `revision`, whole or not at all, and keeps it open.
 * @param onError a sync in the background failed
 */
export async function beginNewestRevision(
  path: string,
  revision: number,
  onError?: (error: unknown) => void,
): Promise<NewestRevision> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.write(Buffer.concat([line(revision), line(revision)]));
    await file.sync();
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  let turn = 0;
  let syncing: Promise<void> | undefined;
  let stale = false;
  const sync = async (): Promise<void> => {
    try {
      while (stale) {
        stale = false;
        await file.datasync();
      }
    } catch (error) {
      onError?.(error);
    } finally {
      syncing = undefined;
    }
  };
  return {
    async write(next) {
      await file.write(line(next), 0, LINE, turn * LINE);
      turn = 1 - turn;
      stale = true;
      syncing ??= sync();
    },
    async close() {
      await syncing;
      await file.close();
    },
  };
}

/** A new name is on disk only once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
