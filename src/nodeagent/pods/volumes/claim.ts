import { isDirectoryIn, newDirectory, resolvePath, type Tree } from '../../../containers/file-system.js';
import type { ReadonlyPod } from '../types.js';
import { hostPath } from './host-path.js';
import { PROVISIONED } from './kept-volumes.js';
import { ClaimNotReadyError, type MountError } from './mount-error.js';
import type { SetUpVolume } from './set-up-volume.js';
import type { Volume, VolumeInput } from './volume-input.js';

/** The claim behind a volume: named, or made for the Pod. */
export const claimOf = ({ name, persistentVolumeClaim, ephemeral }: Volume, pod: ReadonlyPod): string | undefined =>
  persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : `${pod.metadata.name ?? ''}-${name}`);

/** The volume that a claim is bound to. What has no path on the node is kept by the volume's name. @throws MountError */
export async function claimed(
  volume: string,
  claim: string,
  { pod, sources, hostTree, nodeTrees, keptVolumes }: VolumeInput,
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
    await keptVolumes?.load(at);
    // Made writable for everybody.
    if (at.startsWith(`${PROVISIONED}/`) && !isDirectoryIn(hostTree, at))
      hostTree.directories.set(at, newDirectory(0o777));
    return hostPath({ path, ...(onNode?.type === undefined ? {} : { type: onNode.type }) }, hostTree);
  }
  const key = `volume ${name}`;
  const tree = nodeTrees.get(key) ?? create();
  nodeTrees.set(key, tree);
  return { tree, at: '' };
}
