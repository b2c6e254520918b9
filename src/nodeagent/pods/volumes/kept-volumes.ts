import { join } from 'node:path';
import type { FileEntry, Tree } from '../../../containers/tree.js';
import type { Clock } from '../../../machinery/clock.js';
import type { Logger } from '../../../machinery/logger.js';
import { readVolume } from './volume-archive/read.js';
import { type Kept, writeVolume } from './volume-archive/write.js';

/** Where the house's provisioner has its volumes on a node. */
export const PROVISIONED = '/var/local-path-provisioner';

/**
 * The volumes that the provisioner has made on this node. Their files are in the node's tree, and in a folder of this machine
 * when there is one, so that they outlive the agent.
 */
export interface KeptVolumes {
  /** Puts the files of the volume at this path of the node into its tree, unless they are there. */
  load(path: string): Promise<void>;
  /** Forgets a volume with all its files, by the name of its directory. */
  remove(directory: string): Promise<void>;
  /** Writes what has not been written yet, and stops. */
  close(): Promise<void>;
}

export interface KeptVolumesOptions {
  readonly tree: Tree;
  /** Of this machine; undefined: what is in memory is all there is. */
  readonly folder: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** After a change so long nothing is written: more changes come with it. */
const SETTLE_MS = 200;
/** Writing may take a tenth of the time. */
const REST_FACTOR = 10;
/** What a directory of the provisioner is called: nothing that leads out of the folder. */
const DIRECTORY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

export function createKeptVolumes({ tree, folder, clock, log }: KeptVolumesOptions): KeptVolumes {
  /** By directory; those that have been loaded. */
  const kept = new Map<string, Kept>();
  const loading = new Map<string, Promise<void>>();
  const dirty = new Set<string>();
  let cancel: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();
  let lastTook = 0;
  let closed = false;

  const directoryOf = (path: string): string | undefined => {
    if (!path.startsWith(`${PROVISIONED}/`)) return undefined;
    const name = path.slice(PROVISIONED.length + 1).split('/', 1)[0] ?? '';
    return DIRECTORY.test(name) ? name : undefined;
  };
  const write = async (): Promise<void> => {
    if (folder === undefined) return;
    const began = clock.monotonic();
    for (const directory of dirty) {
      dirty.delete(directory);
      const known = kept.get(directory);
      if (known === undefined) continue;
      try {
        kept.set(directory, await writeVolume(tree, `${PROVISIONED}/${directory}`, join(folder, directory), known));
        if (!kept.has(directory)) break;
      } catch (error) {
        log.error({ err: error, volume: directory }, 'the files of a volume cannot be kept');
      }
    }
    lastTook = clock.monotonic() - began;
  };
  const flush = (): Promise<void> => {
    cancel?.();
    cancel = undefined;
    writing = writing.then(write);
    return writing;
  };
  tree.changed = path => {
    const directory = closed ? undefined : directoryOf(path);
    if (directory === undefined || folder === undefined || !kept.has(directory)) return;
    dirty.add(directory);
    cancel ??= clock.after(Math.max(SETTLE_MS, REST_FACTOR * lastTook), () => void flush(), { unref: true });
  };

  return {
    async load(path) {
      const directory = directoryOf(path);
      if (directory === undefined || kept.has(directory)) return;
      const under = loading.get(directory);
      if (under !== undefined) return under;
      const work = (async (): Promise<void> => {
        const entries = new WeakMap<FileEntry, { content: FileEntry['content']; blob: number }>();
        const next =
          folder === undefined
            ? 0
            : await readVolume(tree, `${PROVISIONED}/${directory}`, join(folder, directory), entries);
        kept.set(directory, { entries, next });
      })().finally(() => loading.delete(directory));
      loading.set(directory, work);
      return work;
    },
    async remove(directory) {
      if (!DIRECTORY.test(directory)) return;
      await writing;
      kept.delete(directory);
      dirty.delete(directory);
      const at = `${PROVISIONED}/${directory}`;
      for (const paths of [tree.files, tree.links, tree.directories])
        for (const path of [...paths.keys()]) if (path === at || path.startsWith(`${at}/`)) paths.delete(path);
      if (folder === undefined) return;
      const { rm } = await import('node:fs/promises');
      await rm(join(folder, directory), { recursive: true, force: true });
    },
    async close() {
      await flush();
      closed = true;
      cancel?.();
    },
  };
}
