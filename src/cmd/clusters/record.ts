import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../cluster/keys/files.js';
import { isProcessAlive } from '../../cluster/process-alive.js';
import { lockFolder } from '../../cluster/folder-lock.js';
import { StorageError } from '../../storage/kv-store.js';

/** What `up` says of its cluster in its data folder, for commands that look at it from outside. */
export interface ClusterRecord {
  /** Of the `up` process. */
  readonly pid: number;
  readonly name?: string;
  /** "https://127.0.0.1:6443" */
  readonly url: string;
  /** When it started: milliseconds since 1970. */
  readonly startedAt: number;
  /** When all parts were ready; absent: not yet. */
  readonly readyAt?: number;
  readonly nodes: readonly { readonly name: string; readonly bindAddress: string }[];
  /** Process ids by component: "apiserver", "node-agent node-1". */
  readonly components: Readonly<Record<string, number>>;
}

const FILE = 'up.json';

export const writeRecord = (dataDir: string, record: ClusterRecord): Promise<void> =>
  writeFileAtomic(join(dataDir, FILE), `${JSON.stringify(record, undefined, 2)}\n`, 0o600);

/** undefined: no `up` ever ran there. @throws Error when what is there is no record */
export async function readRecord(dataDir: string): Promise<ClusterRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as ClusterRecord;
    if (!Number.isSafeInteger(record.pid) || record.pid <= 1) throw new Error('it names no process');
    return record;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${join(dataDir, FILE)} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** Whether a process has the folder: the lock is the kernel's, so that a number that was given again tells nothing wrong. */
export async function isInUse(dataDir: string): Promise<boolean> {
  try {
    await (await lockFolder(dataDir)).release();
    return false;
  } catch (error) {
    if (error instanceof StorageError && error.code === 'locked') return true;
    throw error;
  }
}

/** The cluster that runs in the folder; undefined: none does. */
export async function runningRecord(dataDir: string): Promise<ClusterRecord | undefined> {
  const record = await readRecord(dataDir);
  // Asking for the lock takes it for a moment: only where there is a process of that number.
  return record !== undefined && isProcessAlive(record.pid) && (await isInUse(dataDir)) ? record : undefined;
}
