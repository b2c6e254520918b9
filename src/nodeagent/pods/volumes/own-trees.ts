import { createTree, type FileSource, type Tree } from '../../../containers/file-system.js';
import type { ReadonlyPod } from '../types.js';

/** Files of a volume by their paths in it. */
export type Files = Record<string, FileSource>;

/** Mode of a file that nobody has given one. */
export const DEFAULT_MODE = 0o644;
/** What SetVolumeOwnership adds for the fsGroup (pkg/volume/volume_linux.go). */
const GROUP_READS = 0o440;
const GROUP_WRITES = 0o660;
const GROUP_DIRECTORY = 0o2110;

const groupOf = ({ spec }: ReadonlyPod): number | undefined => spec?.securityContext?.fsGroup;

/** An empty directory of everybody's, and with an fsGroup of the group's too. */
export function sharedTree(pod: ReadonlyPod, tmpfs: boolean, capacity?: number): Tree {
  const gid = groupOf(pod);
  return createTree(
    {},
    {
      mode: gid === undefined ? 0o777 : 0o777 | GROUP_WRITES | GROUP_DIRECTORY,
      ...(gid === undefined ? {} : { gid }),
      tmpfs,
      ...(capacity === undefined ? {} : { capacity }),
    },
  );
}

/** A directory of files that the agent writes, which an fsGroup may read. */
export function generatedTree(pod: ReadonlyPod, files: Files, tmpfs: boolean): Tree {
  const gid = groupOf(pod);
  const owned = Object.entries(files).map(([path, file]): [string, FileSource] => [
    path,
    gid === undefined ? file : { ...file, gid, mode: (file.mode ?? DEFAULT_MODE) | GROUP_READS },
  ]);
  return createTree(Object.fromEntries(owned), {
    mode: gid === undefined ? 0o777 : 0o777 | GROUP_DIRECTORY,
    ...(gid === undefined ? {} : { gid }),
    tmpfs,
  });
}
