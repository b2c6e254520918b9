import {
  createTree,
  isDirectoryIn,
  newDirectory,
  resolvePath,
  type Mount,
  type Tree,
} from '../../../containers/file-system.js';
import { ContainerConfigError, expandReferences } from '../environment.js';
import type { ReadonlyContainer, ReadonlyPod } from '../types.js';
import type { SetUpVolumes } from './set-up-volume.js';
import type { Volume } from './volume-input.js';

/** Whether the agent writes the volume's files, and nobody else. */
const isGenerated = (volume: Volume | undefined): boolean =>
  volume?.configMap !== undefined ||
  volume?.secret !== undefined ||
  volume?.projected !== undefined ||
  volume?.downwardAPI !== undefined;

/** The path inside a volume that a mount shows (kubelet makeMounts). @throws ContainerConfigError */
function subPathOf(
  mount: NonNullable<ReadonlyContainer['volumeMounts']>[number],
  env: Readonly<Record<string, string>>,
): string {
  const { subPath = '', subPathExpr } = mount;
  if (subPathExpr === undefined || subPathExpr === '') return subPath;
  const unknown = [...subPathExpr.matchAll(/\$(\$|\(([^)]*)\))/g)].find(
    ([, what, name]) => what !== '$' && env[name ?? ''] === undefined,
  );
  if (unknown !== undefined) throw new ContainerConfigError(`missing value for ${JSON.stringify(unknown[2] ?? '')}`);
  const path = expandReferences(subPathExpr, env);
  if (path.startsWith('/')) throw new ContainerConfigError(`error SubPath \`${path}\` must not be an absolute path`);
  if (path.split('/').includes('..'))
    throw new ContainerConfigError(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  return path;
}

/**
 * A part of a generated volume as it is now: a bind mount of a subPath holds on to the files that it was made of, while the
 * kubelet puts new ones beside them.
 */
function snapshot(tree: Tree, inner: string): Tree {
  const copy = createTree({}, { tmpfs: tree.tmpfs });
  const below = (path: string): boolean => path === inner || path.startsWith(`${inner}/`);
  for (const [path, file] of tree.files) if (below(path)) copy.files.set(path, { ...file });
  for (const [path, directory] of tree.directories) if (below(path)) copy.directories.set(path, directory);
  return copy;
}

/** How the Pod's volumes appear in one container. @throws ContainerConfigError */
export function mountsOf(
  pod: ReadonlyPod,
  container: ReadonlyContainer,
  volumes: SetUpVolumes,
  env: Readonly<Record<string, string>>,
): Mount[] {
  return (container.volumeMounts ?? []).flatMap(mount => {
    const volume = volumes.get(mount.name);
    if (volume === undefined) return [];
    const { tree, at } = volume;
    const source = pod.spec?.volumes?.find(v => v.name === mount.name);
    const generated = isGenerated(source);
    const inner = resolvePath('/', `${at}/${subPathOf(mount, env)}`).replace(/^\/$/, '');
    const shown = generated && inner !== '' ? snapshot(tree, inner) : tree;
    const file = shown.files.has(inner);
    // A subPath that is not there is made, with the volume's own mode.
    if (!file && inner !== '' && !isDirectoryIn(shown, inner))
      shown.directories.set(inner, { ...(tree.directories.get(at === '' ? '/' : at) ?? newDirectory()) });
    return [
      {
        path: resolvePath('/', mount.mountPath).replace(/^\/$/, ''),
        tree: shown,
        readOnly:
          mount.readOnly === true ||
          generated ||
          source?.persistentVolumeClaim?.readOnly === true ||
          source?.image !== undefined,
        ...(inner === '' ? {} : { subPath: inner.slice(1), file }),
      },
    ];
  });
}
