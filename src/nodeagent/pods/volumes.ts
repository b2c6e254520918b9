import { createTree, type LazyContent, type Mount, type Tree } from '../containers/file-system.js';
import type { PodSpec } from '../../machinery/types.js';
import type { DeepReadonly } from '../../machinery/types.js';
import { expandReferences } from './environment.js';
import { fieldValue, resourceValue, type PodAddresses } from './field-ref.js';
import type { Sources } from './sources.js';
import type { ReadonlyContainer, ReadonlyPod } from './types.js';

type Volume = DeepReadonly<NonNullable<PodSpec['volumes']>[number]>;
type Files = Record<string, string | Buffer | LazyContent>;
type KeyItems = readonly { readonly key: string; readonly path: string }[] | undefined;

/** A volume that cannot be set up yet: event FailedMount, tried again. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

export interface VolumeInput {
  readonly pod: ReadonlyPod;
  readonly addresses: PodAddresses;
  readonly sources: Sources;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Directories that outlive Pods on this node: hostPath and claims, by name. */
  readonly nodeTrees: Map<string, Tree>;
}

/** Sets up every volume of a Pod. @throws MountError */
export async function setUpVolumes(input: VolumeInput): Promise<Map<string, Tree>> {
  const trees = new Map<string, Tree>();
  for (const volume of input.pod.spec?.volumes ?? [])
    try {
      trees.set(volume.name, await setUp(volume, input));
    } catch (error) {
      throw new MountError(`MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`, {
        cause: error,
      });
    }
  return trees;
}

/** Volumes whose content follows API objects. One with a token changes too often to ask for, and reads it when read. */
const isRefreshable = (volume: Volume): boolean =>
  volume.configMap !== undefined ||
  volume.secret !== undefined ||
  volume.projected?.sources?.every(source => source.serviceAccountToken === undefined) === true;

export const hasRefreshable = (pod: ReadonlyPod): boolean => (pod.spec?.volumes ?? []).some(isRefreshable);

/** Puts the present content of ConfigMaps and Secrets into trees that are mounted. @throws Error; the rest stays as it was */
export async function refreshTrees(trees: ReadonlyMap<string, Tree>, input: VolumeInput): Promise<void> {
  for (const volume of input.pod.spec?.volumes ?? []) {
    const tree = trees.get(volume.name);
    if (tree === undefined || !isRefreshable(volume)) continue;
    const { files } = await setUp(volume, input);
    tree.files.clear();
    for (const [name, file] of files) tree.files.set(name, file);
  }
}

async function setUp(volume: Volume, input: VolumeInput): Promise<Tree> {
  const { pod, nodeTrees } = input;
  const namespace = pod.metadata.namespace ?? '';
  const shared = (name: string): Tree => {
    const known = nodeTrees.get(name) ?? createTree();
    nodeTrees.set(name, known);
    return known;
  };
  if (volume.hostPath !== undefined) return shared(`host ${volume.hostPath.path}`);
  if (volume.persistentVolumeClaim !== undefined)
    return shared(`claim ${namespace}/${volume.persistentVolumeClaim.claimName}`);
  if (volume.projected !== undefined) {
    const files: Files = {};
    for (const source of volume.projected.sources ?? []) Object.assign(files, await projection(source, input));
    return createTree(files);
  }
  if (volume.configMap !== undefined || volume.secret !== undefined || volume.downwardAPI !== undefined)
    return createTree(
      await projection(
        {
          ...(volume.configMap === undefined ? {} : { configMap: volume.configMap }),
          ...(volume.secret === undefined
            ? {}
            : { secret: { ...volume.secret, name: volume.secret.secretName ?? '' } }),
          ...(volume.downwardAPI === undefined ? {} : { downwardAPI: volume.downwardAPI }),
        },
        input,
      ),
    );
  // emptyDir, and every other kind of storage: an empty directory of the Pod's own.
  return createTree();
}

interface Projection {
  readonly configMap?: { readonly name?: string; readonly items?: KeyItems; readonly optional?: boolean };
  readonly secret?: { readonly name?: string; readonly items?: KeyItems; readonly optional?: boolean };
  readonly downwardAPI?: {
    readonly items?: readonly {
      readonly path: string;
      readonly fieldRef?: { readonly fieldPath: string };
      readonly resourceFieldRef?: {
        readonly containerName?: string;
        readonly resource: string;
        readonly divisor?: string;
      };
    }[];
  };
  readonly serviceAccountToken?: {
    readonly path: string;
    readonly audience?: string;
    readonly expirationSeconds?: number;
  };
}

async function projection(source: Projection, { pod, addresses, sources, allocatable }: VolumeInput): Promise<Files> {
  const namespace = pod.metadata.namespace ?? '';
  const files: Files = {};
  if (source.configMap !== undefined) {
    const { name = '', items, optional } = source.configMap;
    const found = await sources.configMap(namespace, name);
    if (found === undefined && optional !== true) throw new Error(`configmap "${name}" not found`);
    const data: Files = { ...found?.data };
    for (const [key, value] of Object.entries(found?.binaryData ?? {})) data[key] = Buffer.from(value, 'base64');
    Object.assign(files, select(data, items, optional === true, 'configmap', 'config'));
  }
  if (source.secret !== undefined) {
    const { name = '', items, optional } = source.secret;
    const found = await sources.secret(namespace, name);
    if (found === undefined && optional !== true) throw new Error(`secret "${name}" not found`);
    const data = Object.fromEntries(
      Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
    );
    Object.assign(files, select(data, items, optional === true, 'secret', 'secret'));
  }
  for (const { path, fieldRef, resourceFieldRef } of source.downwardAPI?.items ?? []) {
    if (fieldRef !== undefined) files[path] = fieldValue(pod, fieldRef.fieldPath, addresses) ?? '';
    else if (resourceFieldRef !== undefined) {
      const owner = pod.spec?.containers.find(c => c.name === resourceFieldRef.containerName);
      const { resource, divisor } = resourceFieldRef;
      files[path] = owner === undefined ? '' : resourceValue(owner, resource, divisor, allocatable);
    }
  }
  if (source.serviceAccountToken !== undefined) {
    const { path, audience, expirationSeconds } = source.serviceAccountToken;
    // Asked for when it is read: most simulated containers never do.
    files[path] = async () =>
      Buffer.from(
        await sources.token({
          namespace,
          serviceAccount: pod.spec?.serviceAccountName ?? 'default',
          pod: { name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
          ...(audience === undefined ? {} : { audience }),
          ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
        }),
      );
  }
  return files;
}

function select(data: Files, items: KeyItems, optional: boolean, kind: string, what: string): Files {
  if (items === undefined) return data;
  const files: Files = {};
  for (const { key, path } of items) {
    const value = data[key];
    if (value !== undefined) files[path] = value;
    else if (!optional) throw new Error(`${kind} references non-existent ${what} key: ${key}`);
  }
  return files;
}

/** How the Pod's volumes appear in one container. */
export function mountsOf(
  pod: ReadonlyPod,
  container: ReadonlyContainer,
  trees: ReadonlyMap<string, Tree>,
  env: Readonly<Record<string, string>>,
): Mount[] {
  return (container.volumeMounts ?? []).flatMap(mount => {
    const tree = trees.get(mount.name);
    if (tree === undefined) return [];
    const volume = pod.spec?.volumes?.find(v => v.name === mount.name);
    const generated =
      volume?.configMap !== undefined ||
      volume?.secret !== undefined ||
      volume?.projected !== undefined ||
      volume?.downwardAPI !== undefined;
    const subPath = (mount.subPathExpr === undefined ? mount.subPath : expandReferences(mount.subPathExpr, env)) ?? '';
    const path = mount.mountPath.replace(/\/+$/, '');
    return [
      {
        path,
        tree,
        readOnly: mount.readOnly === true || generated,
        ...(subPath === '' ? {} : { subPath, file: tree.files.has(`/${subPath}`) }),
      },
    ];
  });
}
