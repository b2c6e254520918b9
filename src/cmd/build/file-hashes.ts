import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a file looked like when it was read, and what was in it. */
export interface SeenFile {
  readonly look: string;
  readonly hash: string;
}

export interface FileHashes {
  /** Of names and contents: changes when a file of the list is altered, added, removed or renamed. */
  keyOf(files: readonly string[]): string;
  /** Of all files that were asked for, for the next time. */
  seen(): Readonly<Record<string, SeenFile>>;
}

/** A file that is written again within one tick of its file system's clock, which may be two seconds, looks the same. */
const TICK_MS = 2_000;

/**
 * Hashes of what is in files, which are read only if they look different from when they were `known`: as git does it.
 * `now` is the file system's time; files are named relative to `root`.
 */
export function createFileHashes(
  root: string,
  known: Readonly<Record<string, SeenFile>>,
  now: () => number,
): FileHashes {
  const seen = new Map<string, SeenFile>();
  const hashOf = (file: string): string => {
    const stat = statSync(join(root, file), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return 'none';
    const look = `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;
    const before = known[file];
    const hash = before?.look === look ? before.hash : hashFile(join(root, file));
    if (now() - Number(stat.ctimeMs) > TICK_MS) seen.set(file, { look, hash });
    return hash;
  };
  return {
    keyOf(files) {
      const key = createHash('sha256');
      for (const file of [...files].sort()) key.update(`${file}\0${hashOf(file)}\n`);
      return key.digest('hex');
    },
    seen: () => Object.fromEntries(seen),
  };
}

const hashFile = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('base64url');
