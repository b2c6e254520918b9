import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** What LevelDB may need at once when it opens: its write buffer as a table, a manifest, a new log. */
const NEEDED_BYTES = 8 << 20;
const CHUNK = Buffer.alloc(1 << 20);
/** What the next commits may need. */
const LITTLE_BYTES = 1 << 16;

/**
 * Proves that the folder can take NEEDED_BYTES by writing them: free-space counters know nothing of quotas and file
 * size limits. @throws the file system's error
 */
export async function assertSpace(dir: string): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < NEEDED_BYTES) throw new Error('ENOSPC: no space left on device');
  await tryBytes(dir, NEEDED_BYTES);
}

/** Proves that the folder can be written at all. @throws the file system's error */
export const assertRoom = (dir: string): Promise<void> => tryBytes(dir, LITTLE_BYTES);

async function tryBytes(dir: string, bytes: number): Promise<void> {
  const probe = join(dir, 'probe.tmp');
  try {
    const file = await open(probe, 'w', 0o600);
    try {
      for (let left = bytes; left > 0; left -= CHUNK.length)
        await file.writeFile(left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK);
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(probe, { force: true });
  }
}
