import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, KubeObject, PersistentVolume, PersistentVolumeClaim, Pod } from '../../machinery/types.js';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS } from '../../client/resources.js';
import { keyOf, splitKey, type ResourceClient } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { isTerminal } from '../pods.js';
import { BY_CLAIM, claimsOf } from './claims.js';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

type ReadonlyPod = DeepReadonly<Pod>;

/** Sets or removes a finalizer; the object may be gone by now. */
async function setFinalizer<T extends KubeObject>(
  writer: ResourceClient<T>,
  object: DeepReadonly<T>,
  finalizer: string,
  wanted: boolean,
): Promise<void> {
  const old = object.metadata.finalizers ?? [];
  if (old.includes(finalizer) === wanted) return;
  const finalizers = wanted ? [...old, finalizer] : old.filter(name => name !== finalizer);
  try {
    await writer.update({ ...(object as T), metadata: { ...(object as T).metadata, finalizers } });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}

/** A claim that is deleted stays while a Pod uses it (pkg/controller/volume/pvcprotection). */
export const claimProtectionController: ControllerDefinition = {
  name: 'persistentvolumeclaim-protection-controller',
  aliases: ['pvc-protection'],
  workers: 1,
  build({ client, informers, queue }) {
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const pods = informers.informer<Pod>(PODS);
    const writer = client.resource<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const podClient = client.resource<Pod>(PODS);
    pods.addIndex(BY_CLAIM, claimsOf);
    claims.addHandler({ add: claim => queue.add(keyOf(claim)), update: (_old, claim) => queue.add(keyOf(claim)) });
    const released = (pod: ReadonlyPod): void => {
      for (const key of claimsOf(pod))
        if (claims.indexer.get(key)?.metadata.deletionTimestamp !== undefined) queue.add(key);
    };
    pods.addHandler({
      update: (_old, pod) => {
        if (isTerminal(pod)) released(pod);
      },
      delete: released,
    });
    /** A Pod that was never scheduled mounts nothing; one that has ended mounts nothing any more. */
    const uses = (pod: ReadonlyPod): boolean => (pod.spec?.nodeName ?? '') !== '' && !isTerminal(pod);
    const isUsed = async (key: string): Promise<boolean> => {
      if (pods.indexer.byIndex(BY_CLAIM, key).some(uses)) return true;
      // A Pod that the cache does not show yet would lose its data: the server knows all.
      const { items } = await podClient.list({ namespace: splitKey(key).namespace });
      return items.some(pod => uses(pod) && claimsOf(pod).includes(key));
    };
    return {
      async reconcile(key) {
        const claim = claims.indexer.get(key);
        if (claim === undefined) return;
        const deleting = claim.metadata.deletionTimestamp !== undefined;
        if (!deleting) return setFinalizer(writer, claim, CLAIM_FINALIZER, true);
        if (claim.metadata.finalizers?.includes(CLAIM_FINALIZER) !== true || (await isUsed(key))) return;
        await setFinalizer(writer, claim, CLAIM_FINALIZER, false);
      },
    };
  },
};

/** A volume that is deleted stays while it is bound to a claim (pkg/controller/volume/pvprotection). */
export const volumeProtectionController: ControllerDefinition = {
  name: 'persistentvolume-protection-controller',
  aliases: ['pv-protection'],
  workers: 1,
  build({ client, informers, queue }) {
    const volumes = informers.informer<PersistentVolume>(PERSISTENT_VOLUMES);
    const writer = client.resource<PersistentVolume>(PERSISTENT_VOLUMES);
    volumes.addHandler({ add: volume => queue.add(keyOf(volume)), update: (_old, volume) => queue.add(keyOf(volume)) });
    return {
      async reconcile(key) {
        const volume = volumes.indexer.get(key);
        if (volume === undefined) return;
        const deleting = volume.metadata.deletionTimestamp !== undefined;
        if (!deleting) return setFinalizer(writer, volume, VOLUME_FINALIZER, true);
        if (volume.status?.phase !== 'Bound') await setFinalizer(writer, volume, VOLUME_FINALIZER, false);
      },
    };
  },
};
