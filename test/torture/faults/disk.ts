import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small file system of its own. */
export interface Disk {
  readonly path: string;
  /** Fills it up, but for so many bytes. */
  fill(left: number): void;
  /** Gives back what filled it. */
  free(): void;
  readOnly(): void;
  remove(): void;
}

export function createDisk(megabytes: number): Disk {
  const path = mkdtempSync(join(tmpdir(), 'kubette-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], { stdio: 'pipe' });
  const filler = join(path, 'filler');
  return {
    path,
    fill(left) {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - left)));
    },
    free: () => rmSync(filler, { force: true }),
    readOnly: () => void execFileSync('mount', ['-o', 'remount,ro', path], { stdio: 'pipe' }),
    remove() {
      // Somebody may look at it still.
      execFileSync('umount', ['-l', path], { stdio: 'pipe' });
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Why there can be none; undefined: there can. */
export function noDisk(): string | undefined {
  if (process.getuid?.() !== 0) return 'who is not root cannot mount a file system';
  try {
    createDisk(1).remove();
    return undefined;
  } catch (error) {
    return `no file system can be mounted: ${(error as Error).message}`;
  }
}
