import { Level } from 'level';

export type Db = Level<string, Buffer>;

const FORM = { keyEncoding: 'utf8', valueEncoding: 'buffer' } as const;

/** Opens LevelDB as it is. It must not be made before it may be opened: it opens itself at the next opportunity. */
export async function openRaw(dir: string, options: { errorIfExists?: boolean } = {}): Promise<Db> {
  const db: Db = new Level<string, Buffer>(dir, FORM);
  try {
    await db.open({ createIfMissing: options.errorIfExists !== true, ...options });
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** Whether another process has the folder open. Changes nothing: LevelDB takes its lock before it refuses. */
export async function isLocked(dir: string): Promise<boolean> {
  try {
    await (await openRaw(dir, { errorIfExists: true })).close();
    return false;
  } catch (error) {
    return ((error as Error).cause as { code?: unknown } | undefined)?.code === 'LEVEL_LOCKED';
  }
}

/** What `level` has where it is LevelDB that it opens, and its types do not say. */
interface Compactable {
  compactRange(start: string, end: string): Promise<void>;
}

/** Writes the files that have keys of a range anew, without what was replaced or deleted; others read and write meanwhile. */
export const compactRange = (db: Db, start: string, end: string): Promise<void> =>
  (db as unknown as Compactable).compactRange(start, end);
