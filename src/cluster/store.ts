import { join, posix } from 'node:path';
import type { Clock } from '../machinery/clock.js';
import { realRandom } from '../machinery/random.js';
import { ROOT } from '../storage/keys.js';
import { StorageError, type KvStore } from '../storage/kv-store.js';
import { NEWEST_REVISION } from '../storage/leveldb/newest-revision-file.js';
import type { LevelStoreOptions } from '../storage/leveldb/level-store.js';

export const STORAGE_DRIVERS: readonly string[] = ['leveldb', 'memory', 'etcd'];

export interface StoreOptions {
  readonly clock: Clock;
  /** A store that is damaged is opened all the same, and each loss is told here; undefined: it is not opened. */
  readonly acceptDataLoss?: (loss: string) => void;
  /** Whether a commit waits for the disk, as it does by default. */
  readonly fsync?: boolean;
}

/** In the data folder. */
export const STORE_FOLDER = 'store';
const PREDECESSOR_MS = 3_000;

/** Milliseconds rise faster than revisions do, so that every start is beyond the last one. */
export async function openMemoryStore(clock: Clock): Promise<KvStore> {
  const { createMemoryStore } = await import('../storage/memory/memory-store.js');
  return createMemoryStore({ firstRevision: clock.now() });
}

/** An etcd, and where in it things are kept. */
export interface EtcdOptions {
  readonly servers: readonly string[];
  /** PEM texts. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** "/registry", as upstream's servers have it. */
  readonly prefix: string;
}

/**
 * A store that other API servers use as well.
 * @param onProblem told when the connection is lost, and when it is there again
 * @throws StorageError
 */
export async function openEtcd(
  { servers, tls, prefix }: EtcdOptions,
  clock: Clock,
  onProblem: (message: string) => void,
): Promise<KvStore> {
  const { openEtcdStore } = await import('../storage/etcd/etcd-store.js');
  return openEtcdStore({
    ...{ servers, tls, clock, onProblem, random: () => realRandom.number() },
    ...{ prefix: posix.join('/', prefix, '/'), replaces: ROOT },
  });
}

/** The store in a data folder that is ours. @throws StorageError */
export async function openFolderStore(
  dataDir: string,
  { clock, acceptDataLoss, fsync = true }: StoreOptions,
): Promise<KvStore> {
  const { openLevelStore } = await import('../storage/leveldb/level-store.js');
  const options: LevelStoreOptions = {
    // Beside the store, not in it: then a store that is gone is missed, too.
    newestRevisionFile: join(dataDir, NEWEST_REVISION),
    fsync,
    ...(acceptDataLoss === undefined ? {} : { acceptDataLoss: losses => losses.forEach(acceptDataLoss) }),
  };
  const open = (): Promise<KvStore> => openLevelStore(join(dataDir, STORE_FOLDER), options);
  try {
    return await open().catch(async (error: unknown) => {
      if (!(error instanceof StorageError) || error.code !== 'locked') throw error;
      // The folder is ours: who has the store still is a server that is about to end, as after a kill of its parent.
      await clock.sleep(PREDECESSOR_MS);
      return open();
    });
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'damaged' || acceptDataLoss !== undefined) throw error;
    const text = `${error.message}; put back a copy of the data folder, or start once with --accept-data-loss to go on with what is left`;
    throw new StorageError('damaged', text, { cause: error });
  }
}
