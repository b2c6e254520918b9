import { mkdir, readdir } from 'node:fs/promises';
import { Level } from 'level';
import { StorageError } from '../kv-store.js';
import { storageError } from './errors.js';
import { FORMAT, LOG_END, logRevision, logStart, META_COMPACTED, META_FORMAT, META_REVISION } from './layout.js';

export type Db = Level<string, Buffer>;

export interface Opened {
  readonly db: Db;
  readonly revision: number;
  readonly compacted: number;
}

/** Opens or creates the folder and checks that what it holds is whole. @throws StorageError */
export async function openDb(dir: string): Promise<Opened> {
  const db: Db = new Level<string, Buffer>(dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
  try {
    const files = await prepareFolder(dir);
    refuseForeignOrHeadless(dir, files);
    await db.open({ createIfMissing: true });
    return { db, ...(await readMeta(db, dir)) };
  } catch (error) {
    await db.close().catch((closeError: unknown) => {
      throw storageError(closeError, dir);
    });
    throw storageError(error, dir);
  }
}

async function prepareFolder(dir: string): Promise<string[]> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    return await readdir(dir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new StorageError('io', `data store ${dir} is not a folder`, { cause: error });
    }
    throw error;
  }
}

const DATA_FILE = /^(MANIFEST-\d+|\d+\.(ldb|sst|log))$/;

/** LevelDB would start afresh over data whose CURRENT is gone; that is damage, not an empty store. */
function refuseForeignOrHeadless(dir: string, files: readonly string[]): void {
  if (!files.includes('CURRENT') && files.some(file => DATA_FILE.test(file) && !/^MANIFEST-0*1$/.test(file))) {
    throw new StorageError('damaged', `data store ${dir} is damaged: file CURRENT is missing`);
  }
}

async function readMeta(db: Db, dir: string): Promise<{ revision: number; compacted: number }> {
  const format = db.getSync(META_FORMAT)?.toString();
  if (format === undefined) {
    const first = await db.keys({ limit: 1 }).all();
    if (first.length > 0) {
      throw new StorageError('damaged', `data store ${dir} is damaged: it has no format version`);
    }
    // A first start that died before this point leaves an empty LevelDB behind, which is as good as none.
    await db.batch([{ type: 'put', key: META_FORMAT, value: Buffer.from(FORMAT) }], { sync: true });
    return { revision: 0, compacted: 0 };
  }
  if (format !== FORMAT) {
    throw new StorageError(
      'damaged',
      `data store ${dir} has the unknown format version ${JSON.stringify(format)} (this program knows "${FORMAT}")`,
    );
  }
  const revision = readNumber(db, META_REVISION, dir);
  const compacted = readNumber(db, META_COMPACTED, dir);
  await checkLog(db, dir, compacted, revision);
  return { revision, compacted };
}

function readNumber(db: Db, key: string, dir: string): number {
  const text = db.getSync(key)?.toString() ?? '0';
  if (!/^\d{1,15}$/.test(text)) {
    throw new StorageError('damaged', `data store ${dir} is damaged: ${key.slice(1)} reads ${JSON.stringify(text)}`);
  }
  return Number(text);
}

/**
 * LevelDB drops a damaged record of its write-ahead log in silence. Every revision since the last compaction has left
 * an entry in our log, so a lost batch shows as a gap.
 */
async function checkLog(db: Db, dir: string, compacted: number, revision: number): Promise<void> {
  let expected = compacted + 1;
  const keys = db.keys({ gte: logStart(compacted + 1), lt: LOG_END, highWaterMarkBytes: 1 << 20 });
  try {
    for (let batch = await keys.nextv(2000); batch.length > 0; batch = await keys.nextv(2000)) {
      for (const key of batch) {
        const at = logRevision(key);
        if (at === expected - 1) continue; // a further change of the same commit
        if (at !== expected) throw gap(dir, expected);
        expected++;
      }
    }
  } finally {
    await keys.close();
  }
  if (expected !== revision + 1) throw gap(dir, expected);
}

const gap = (dir: string, revision: number): StorageError =>
  new StorageError('damaged', `data store ${dir} is damaged: revision ${revision} is missing`);
