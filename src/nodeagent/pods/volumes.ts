import type { SetUpVolume, SetUpVolumes } from './set-up-volume.js';
import {
  createTree,
  isDirectoryIn,
  newDirectory,
  resolvePath,
  type FileSource,
  type LazyContent,
  type Mount,
  type Tree,
} from '../../containers/file-system.js';
import { knownImage } from '../../containers/images/index.js';
import { parseImage } from '../../containers/images/reference.js';
import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import { podLimits } from '../../machinery/pod-requests.js';
import type { PodSpec } from '../../machinery/types.js';
import { DEFAULT_CAPACITY } from '../../containers/tree.js';
import type { DeepReadonly } from '../../machinery/types.js';
import { ContainerConfigError, expandReferences } from './environment.js';
import { fieldValue, resourceValue, type PodAddresses } from './field-ref.js';
import type { Sources } from './sources.js';
import { containersOf, type ReadonlyContainer, type ReadonlyPod } from './types.js';
import { trimEnd } from '../../machinery/trim.js';

type Volume = DeepReadonly<NonNullable<PodSpec['volumes']>[number]>;
type Files = Record<string, FileSource>;
type KeyItems = readonly { readonly key: string; readonly path: string; readonly mode?: number }[] | undefined;

/** A volume that cannot be set up yet: event FailedMount, tried again. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

/** A claim that is not bound yet: usual for a moment, said only when it lasts. */
export class ClaimNotReadyError extends MountError {}

export interface VolumeInput {
  readonly pod: ReadonlyPod;
  readonly addresses: PodAddresses;
  readonly sources: Sources;
  readonly allocatable: Readonly<Record<string, string>>;
  /** The node's own root file system: hostPath. */
  readonly hostTree: Tree;
  /** Persistent volumes without a path on the node, by name. */
  readonly nodeTrees: Map<string, Tree>;
}

/** Sets up every volume of a Pod. @throws MountError */
export async function setUpVolumes(input: VolumeInput): Promise<SetUpVolumes> {
  const volumes = new Map<string, SetUpVolume>();
  for (const volume of input.pod.spec?.volumes ?? [])
    try {
      volumes.set(volume.name, await setUp(volume, input));
    } catch (error) {
      if (error instanceof MountError) throw error;
      throw new MountError(`MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`, {
        cause: error,
      });
    }
  return volumes;
}

/** Volumes whose content follows API objects, the Pod's own metadata among them. Tokens are made when they are read. */
const isRefreshable = (volume: Volume): boolean =>
  volume.configMap !== undefined ||
  volume.secret !== undefined ||
  volume.downwardAPI !== undefined ||
  volume.projected?.sources?.every(source => source.serviceAccountToken === undefined) === true;

export const hasRefreshable = (pod: ReadonlyPod): boolean => (pod.spec?.volumes ?? []).some(isRefreshable);

/** Puts the present content of API objects into volumes that are mounted. @throws Error; the rest stays as it was */
export async function refreshVolumeContent(volumes: SetUpVolumes, input: VolumeInput): Promise<void> {
  for (const volume of input.pod.spec?.volumes ?? []) {
    const mounted = volumes.get(volume.name);
    if (mounted === undefined || !isRefreshable(volume)) continue;
    const { files } = (await setUp(volume, input)).tree;
    mounted.tree.files.clear();
    for (const [name, file] of files) mounted.tree.files.set(name, file);
  }
}

/** What SetVolumeOwnership adds for the fsGroup (pkg/volume/volume_linux.go). */
const GROUP_READS = 0o440;
const GROUP_WRITES = 0o660;
const GROUP_DIRECTORY = 0o2110;
const DEFAULT_MODE = 0o644;
const TOKEN_MODE = 0o600;

async function setUp(volume: Volume, input: VolumeInput): Promise<SetUpVolume> {
  const { pod } = input;
  const gid = pod.spec?.securityContext?.fsGroup;
  const group = gid === undefined ? {} : { gid };
  /** A directory of everybody's, and with an fsGroup of the group's too. */
  const shared = (tmpfs: boolean, capacity?: number): Tree =>
    createTree(
      {},
      {
        mode: gid === undefined ? 0o777 : 0o777 | GROUP_WRITES | GROUP_DIRECTORY,
        ...group,
        tmpfs,
        ...(capacity === undefined ? {} : { capacity }),
      },
    );
  const generated = (files: Files, tmpfs: boolean): Tree => {
    const owned = Object.entries(files).map(([path, file]): [string, FileSource] => [
      path,
      gid === undefined ? file : { ...file, gid, mode: (file.mode ?? DEFAULT_MODE) | GROUP_READS },
    ]);
    return createTree(Object.fromEntries(owned), {
      mode: gid === undefined ? 0o777 : 0o777 | GROUP_DIRECTORY,
      ...group,
      tmpfs,
    });
  };
  if (volume.hostPath !== undefined) return hostPath(volume.hostPath, input.hostTree);
  const claim = claimOf(volume, pod);
  if (claim !== undefined) return claimed(volume.name, claim, input, () => shared(false));
  if (volume.projected !== undefined) {
    const files: Files = {};
    for (const source of volume.projected.sources ?? [])
      Object.assign(files, await projection(source, volume.projected.defaultMode, input));
    return { tree: generated(files, true), at: '' };
  }
  if (volume.image !== undefined) {
    // Whether it can be pulled is found out when a container wants it.
    const image = parseImage(volume.image.reference ?? '');
    return { tree: createTree(image === undefined ? {} : (knownImage(image.repository)?.files ?? {})), at: '' };
  }
  if (volume.csi !== undefined)
    throw new Error(
      `kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name ${volume.csi.driver} not found in the list of registered CSI drivers`,
    );
  const { configMap, secret, downwardAPI, emptyDir } = volume;
  if (configMap !== undefined || secret !== undefined || downwardAPI !== undefined) {
    const files = await projection(
      {
        ...(configMap === undefined ? {} : { configMap }),
        ...(secret === undefined ? {} : { secret: { ...secret, name: secret.secretName ?? '' } }),
        ...(downwardAPI === undefined ? {} : { downwardAPI }),
      },
      (configMap ?? secret ?? downwardAPI)?.defaultMode,
      input,
    );
    return { tree: generated(files, configMap === undefined), at: '' };
  }
  // emptyDir, and every other kind of storage: an empty directory of the Pod's own.
  const inMemory = emptyDir?.medium === 'Memory';
  return { tree: inMemory ? shared(true, memoryCapacity(emptyDir.sizeLimit, pod)) : shared(false), at: '' };
}

/** What a tmpfs takes at most: its limit, and what the Pod may use of memory (emptydir calculateEmptyDirMemorySize). */
export function memoryCapacity(sizeLimit: string | undefined, pod: ReadonlyPod): number | undefined {
  const limited = (pod.spec?.containers ?? []).every(c => c.resources?.limits?.['memory'] !== undefined);
  const limits = [sizeLimit, limited ? podLimits(pod)['memory'] : undefined].flatMap(text => {
    const bytes = text === undefined ? 0 : Number(scaledValue(parseQuantity(text), 0));
    return bytes > 0 ? [bytes] : [];
  });
  return limits.length === 0 ? undefined : Math.min(DEFAULT_CAPACITY, ...limits);
}

/** The claim behind a volume: named, or made for the Pod. */
const claimOf = ({ name, persistentVolumeClaim, ephemeral }: Volume, pod: ReadonlyPod): string | undefined =>
  persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : `${pod.metadata.name ?? ''}-${name}`);

/** Where the house's provisioner has its volumes, which it makes writable for everybody. */
const PROVISIONED = '/var/local-path-provisioner/';

/** The volume that a claim is bound to. What has no path on the node is kept by the volume's name. @throws MountError */
async function claimed(
  volume: string,
  claim: string,
  { pod, sources, hostTree, nodeTrees }: VolumeInput,
  create: () => Tree,
): Promise<SetUpVolume> {
  const namespace = pod.metadata.namespace ?? '';
  const failed = (why: string): MountError =>
    new ClaimNotReadyError(
      `Unable to attach or mount volumes: unmounted volumes=[${volume}], unattached volumes=[], failed to process volumes=[${volume}]: error processing PVC ${namespace}/${claim}: ${why}`,
    );
  const found = await sources.volumeClaim(namespace, claim);
  if (found === undefined)
    throw failed(`failed to fetch PVC from API server: persistentvolumeclaims "${claim}" not found`);
  const name = found.spec?.volumeName ?? '';
  if (name === '' || found.status?.phase !== 'Bound') throw failed('PVC is not bound');
  const persistent = await sources.volume(name);
  if (persistent === undefined)
    throw failed(`failed to fetch PV ${name} from API server: persistentvolumes "${name}" not found`);
  const { hostPath: onNode, local } = persistent.spec ?? {};
  const path = onNode?.path ?? local?.path;
  if (path !== undefined) {
    const at = resolvePath('/', path);
    if (at.startsWith(PROVISIONED) && !isDirectoryIn(hostTree, at)) hostTree.directories.set(at, newDirectory(0o777));
    return hostPath({ path, ...(onNode?.type === undefined ? {} : { type: onNode.type }) }, hostTree);
  }
  const key = `volume ${name}`;
  const tree = nodeTrees.get(key) ?? create();
  nodeTrees.set(key, tree);
  return { tree, at: '' };
}

/** A path of the node, with the check its type asks for (pkg/volume/hostpath). @throws Error */
function hostPath({ path, type = '' }: { readonly path: string; readonly type?: string }, tree: Tree): SetUpVolume {
  const at = trimEnd(path, '/');
  const isFile = tree.files.has(at);
  const isDirectory = !isFile && isDirectoryIn(tree, at === '' ? '/' : at);
  const fails = (what: string): Error => new Error(`hostPath type check failed: ${path} is not ${what}`);
  if (type === 'Directory' && !isDirectory) throw fails('a directory');
  if (type === 'File' && !isFile) throw fails('a file');
  if (type === 'Socket' || type === 'CharDevice' || type === 'BlockDevice')
    throw fails({ Socket: 'a socket file', CharDevice: 'a character device', BlockDevice: 'a block device' }[type]);
  if (type === 'DirectoryOrCreate' && isFile) throw fails('a directory');
  if (type === 'FileOrCreate' && isDirectory) throw fails('a file');
  // Without a type the runtime makes a directory where there is nothing.
  if (!isFile && !isDirectory)
    if (type === 'FileOrCreate') tree.files.set(at, { content: Buffer.alloc(0), ...newDirectory(DEFAULT_MODE) });
    else tree.directories.set(at, newDirectory());
  return { tree, at };
}

interface Projection {
  readonly configMap?: { readonly name?: string; readonly items?: KeyItems; readonly optional?: boolean };
  readonly secret?: { readonly name?: string; readonly items?: KeyItems; readonly optional?: boolean };
  readonly downwardAPI?: {
    readonly items?: readonly {
      readonly path: string;
      readonly mode?: number;
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

/** The files of one source; `mode` is theirs unless an item says otherwise. @throws Error */
async function projection(
  source: Projection,
  mode: number | undefined,
  { pod, addresses, sources, allocatable }: VolumeInput,
): Promise<Files> {
  const namespace = pod.metadata.namespace ?? '';
  const files: Files = {};
  const defaultMode = mode ?? DEFAULT_MODE;
  if (source.configMap !== undefined) {
    const { name = '', items, optional } = source.configMap;
    const found = await sources.configMap(namespace, name);
    if (found === undefined && optional !== true) throw new Error(`configmap "${name}" not found`);
    const data: Record<string, string | Buffer> = { ...found?.data };
    for (const [key, value] of Object.entries(found?.binaryData ?? {})) data[key] = Buffer.from(value, 'base64');
    Object.assign(files, select(data, { items, optional, defaultMode, kind: 'configmap', what: 'config' }));
  }
  if (source.secret !== undefined) {
    const { name = '', items, optional } = source.secret;
    const found = await sources.secret(namespace, name);
    if (found === undefined && optional !== true) throw new Error(`secret "${name}" not found`);
    const data = Object.fromEntries(
      Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
    );
    Object.assign(files, select(data, { items, optional, defaultMode, kind: 'secret', what: 'secret' }));
  }
  for (const { path, fieldRef, resourceFieldRef, mode: own } of source.downwardAPI?.items ?? []) {
    const put = (content: string): void => void (files[path] = { content, mode: own ?? defaultMode });
    if (fieldRef !== undefined) put(fieldValue(pod, fieldRef.fieldPath, addresses) ?? '');
    else if (resourceFieldRef !== undefined) {
      const owner = containersOf(pod).find(c => c.spec.name === resourceFieldRef.containerName)?.spec;
      const { resource, divisor } = resourceFieldRef;
      put(owner === undefined ? '' : resourceValue(owner, resource, divisor, allocatable));
    }
  }
  if (source.serviceAccountToken !== undefined) {
    const { path, audience, expirationSeconds } = source.serviceAccountToken;
    const uid = onlyUser(pod);
    const restricted = uid !== undefined || pod.spec?.securityContext?.fsGroup !== undefined;
    // Asked for when it is read: most simulated containers never do.
    const content: LazyContent = async () =>
      Buffer.from(
        await sources.token({
          namespace,
          serviceAccount: pod.spec?.serviceAccountName ?? 'default',
          pod: { name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
          ...(audience === undefined ? {} : { audience }),
          ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
        }),
      );
    files[path] = { content, mode: restricted ? TOKEN_MODE : defaultMode, ...(uid === undefined ? {} : { uid }) };
  }
  return files;
}

/** The user of all containers, when they have one in common: the owner of the Pod's token (kubelet util.FsUserFrom). */
function onlyUser(pod: ReadonlyPod): number | undefined {
  const users = containersOf(pod)
    .filter(c => c.kind !== 'ephemeral')
    .map(c => c.spec.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser);
  return users.every(user => user === users[0]) ? users[0] : undefined;
}

interface Selection {
  readonly items: KeyItems;
  readonly optional: boolean | undefined;
  readonly defaultMode: number;
  readonly kind: string;
  readonly what: string;
}

function select(
  data: Readonly<Record<string, string | Buffer>>,
  { items, optional, defaultMode, kind, what }: Selection,
): Files {
  const wanted = items ?? Object.keys(data).map(key => ({ key, path: key }));
  const files: Files = {};
  for (const { key, path, mode } of wanted as NonNullable<KeyItems>) {
    const content = data[key];
    if (content !== undefined) files[path] = { content, mode: mode ?? defaultMode };
    else if (optional !== true) throw new Error(`${kind} references non-existent ${what} key: ${key}`);
  }
  return files;
}

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
