import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** What LevelDB may need at once when it opens: its write buffer as a table, a manifest, a new log. */
const NEEDED_BYTES = 8 << 20;
const CHUNK = Buffer.alloc(1 << 20);

/**
 * Proves that the folder can take NEEDED_BYTES by writing them: free-space counters know nothing of quotas and file
 * size limits. @throws the file system's error
 */
export async function assertSpace(dir: string): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < NEEDED_BYTES) throw new Error('ENOSPC: no space left on device');
  const probe = join(dir, 'probe.tmp');
  try {
    const file = await open(probe, 'w', 0o600);
    try {
      for (let written = 0; written < NEEDED_BYTES; written += CHUNK.length) await file.writeFile(CHUNK);
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(probe, { force: true });
  }
}
