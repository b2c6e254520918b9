import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, PersistentVolumeClaim, Pod } from '../../machinery/types.js';
import { PERSISTENT_VOLUME_CLAIMS, PODS } from '../../client/resources.js';
import { keyOf } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import { controllerReference } from '../ownership.js';
import { isDeleting, isTerminal } from '../pods.js';
import { BY_CLAIM, claimsOf } from '../volumeprotection/claims.js';

type ReadonlyPod = DeepReadonly<Pod>;

const hasEphemeral = ({ spec }: ReadonlyPod): boolean =>
  (spec?.volumes ?? []).some(volume => volume.ephemeral !== undefined);

/** Makes the claims of ephemeral volumes; they go with their Pod, which owns them (pkg/controller/volume/ephemeral). */
export const ephemeralVolumeController: ControllerDefinition = {
  name: 'ephemeral-volume-controller',
  aliases: ['ephemeral-volume'],
  workers: 5,
  build({ client, informers, queue, recorder }) {
    const pods = informers.informer<Pod>(PODS);
    const claims = informers.informer<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const claimClient = client.resource<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);
    const events = recorder('ephemeral_volume');
    pods.addIndex(BY_CLAIM, claimsOf);
    const changed = (pod: ReadonlyPod): void => {
      if (hasEphemeral(pod) && !isDeleting(pod)) queue.add(keyOf(pod));
    };
    pods.addHandler({ add: changed, update: (_old, pod) => changed(pod) });
    claims.addHandler({
      delete(claim) {
        for (const pod of pods.indexer.byIndex(BY_CLAIM, keyOf(claim))) changed(pod);
      },
    });

    const make = async (pod: ReadonlyPod, volume: string, template: unknown): Promise<void> => {
      const { name: podName = '', namespace = '', uid } = pod.metadata;
      const name = `${podName}-${volume}`;
      const existing = claims.indexer.get(`${namespace}/${name}`);
      const owner = existing?.metadata.ownerReferences?.find(reference => reference.controller === true);
      if (existing !== undefined) {
        if (owner?.uid === uid) return;
        const message = `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
        throw new Error(message);
      }
      const { metadata = {}, spec } = template as {
        metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
        spec: PersistentVolumeClaim['spec'];
      };
      const { labels, annotations } = metadata;
      await claimClient.create(namespace, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name,
          namespace,
          ...(labels === undefined ? {} : { labels: { ...labels } }),
          ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
          ownerReferences: [controllerReference(pod, 'v1', 'Pod')],
        },
        ...(spec === undefined ? {} : { spec }),
      });
    };
    return {
      async reconcile(key) {
        const pod = pods.indexer.get(key);
        if (pod === undefined || isDeleting(pod) || isTerminal(pod)) return;
        for (const { name, ephemeral } of pod.spec?.volumes ?? []) {
          if (ephemeral?.volumeClaimTemplate === undefined) continue;
          try {
            await make(pod, name, ephemeral.volumeClaimTemplate);
          } catch (error) {
            // Made by an earlier try that the cache has not shown yet.
            if (isStatusError(error, 'AlreadyExists')) continue;
            const { message } = error as Error;
            events.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${name}: ${message}`);
            throw error;
          }
        }
      },
    };
  },
};
