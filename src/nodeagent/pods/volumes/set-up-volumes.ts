import { createTree } from '../../../containers/file-system.js';
import { knownImage } from '../../../containers/images/index.js';
import { parseImage } from '../../../containers/images/reference.js';
import type { ReadonlyPod } from '../types.js';
import { claimed, claimOf } from './claim.js';
import { emptyDirectory } from './empty-dir.js';
import { hostPath } from './host-path.js';
import { MountError } from './mount-error.js';
import { generatedTree, sharedTree, type Files } from './own-trees.js';
import { projection, type Projection } from './projection.js';
import type { SetUpVolume, SetUpVolumes } from './set-up-volume.js';
import type { Volume, VolumeInput } from './volume-input.js';

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

async function setUp(volume: Volume, input: VolumeInput): Promise<SetUpVolume> {
  const { pod } = input;
  if (volume.hostPath !== undefined) return hostPath(volume.hostPath, input.hostTree);
  const claim = claimOf(volume, pod);
  if (claim !== undefined) return claimed(volume.name, claim, input, () => sharedTree(pod, false));
  if (volume.projected !== undefined) {
    const files: Files = {};
    for (const source of volume.projected.sources ?? [])
      Object.assign(files, await projection(source, volume.projected.defaultMode, input));
    return { tree: generatedTree(pod, files, true), at: '' };
  }
  if (volume.image !== undefined) {
    // Whether it can be pulled is found out when a container wants it.
    const image = parseImage(volume.image.reference ?? '');
    return { tree: createTree(image === undefined ? {} : (knownImage(image.path)?.files ?? {})), at: '' };
  }
  if (volume.csi !== undefined)
    throw new Error(
      `kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name ${volume.csi.driver} not found in the list of registered CSI drivers`,
    );
  const single = onlySource(volume);
  if (single !== undefined) {
    const defaultMode = (volume.configMap ?? volume.secret ?? volume.downwardAPI)?.defaultMode;
    const files = await projection(single, defaultMode, input);
    return { tree: generatedTree(pod, files, volume.configMap === undefined), at: '' };
  }
  // emptyDir, and every other kind of storage.
  return { tree: emptyDirectory(volume.emptyDir, pod), at: '' };
}

/** What a volume of one ConfigMap, Secret or downward API says, as a projected volume would say it. */
function onlySource({ configMap, secret, downwardAPI }: Volume): Projection | undefined {
  if (configMap === undefined && secret === undefined && downwardAPI === undefined) return undefined;
  return {
    ...(configMap === undefined ? {} : { configMap }),
    ...(secret === undefined ? {} : { secret: { ...secret, name: secret.secretName ?? '' } }),
    ...(downwardAPI === undefined ? {} : { downwardAPI }),
  };
}
