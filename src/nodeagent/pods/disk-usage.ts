import type { ContainerDisk } from './types.js';
import type { Tree } from '../../containers/file-system.js';
import type { LogBuffer } from '../../containers/log-buffer.js';
import type { ContainerRecord, ReadonlyPod } from './types.js';
import type { SetUpVolumes } from './volumes/set-up-volume.js';

export interface PodDisk {
  readonly containers: ReadonlyMap<string, ContainerDisk>;
  /** Of volumes that are the Pod's own: emptyDir and generated ones. */
  readonly volumes: ReadonlyMap<string, { readonly bytes: number; readonly tmpfs: boolean }>;
}

/** containerLogMaxSize and containerLogMaxFiles of the kubelet's default configuration. */
const LOG_ROTATION = { maxBytes: 10 * 1024 * 1024, maxFiles: 5 };

/** What a log takes on disk: the kubelet throws the oldest of its files away. */
export const logBytes = ({ written }: Pick<LogBuffer, 'written'>): number =>
  Math.min(written, LOG_ROTATION.maxBytes * LOG_ROTATION.maxFiles);

export const treeBytes = ({ used }: Tree): number => used;

/** Tells what has been added to a file system since now, when all that is in it is the image. */
export function writableLayer(root: Tree): () => number {
  const image = treeBytes(root);
  return () => Math.max(0, treeBytes(root) - image);
}

export function podDisk(
  pod: ReadonlyPod,
  records: readonly ContainerRecord[],
  mounted: SetUpVolumes | undefined,
): PodDisk {
  const own = (pod.spec?.volumes ?? []).filter(
    v =>
      v.emptyDir !== undefined ||
      v.configMap !== undefined ||
      v.secret !== undefined ||
      v.downwardAPI !== undefined ||
      v.projected !== undefined,
  );
  return {
    containers: new Map(records.flatMap(r => (r.disk === undefined ? [] : [[r.name, r.disk()] as const]))),
    volumes: new Map(
      own.flatMap(({ name }) => {
        const tree = mounted?.get(name)?.tree;
        return tree === undefined ? [] : [[name, { bytes: treeBytes(tree), tmpfs: tree.tmpfs }] as const];
      }),
    ),
  };
}

/** All that counts against the Pod's limit of ephemeral storage. */
export function ephemeralBytes({ containers, volumes }: PodDisk): number {
  let bytes = 0;
  for (const { rootfs, logs } of containers.values()) bytes += rootfs + logs;
  for (const volume of volumes.values()) if (!volume.tmpfs) bytes += volume.bytes;
  return bytes;
}
