import type { EventRecorder } from '../../client/event-recorder.js';
import type { ResourceClient } from '../../client/types.js';
import { isStatusError } from '../../machinery/status.js';
import type { PersistentVolumeClaim, Pod } from '../../machinery/types.js';
import { claimNames, missingClaims, wantedOwners, type ClaimLookup } from './claims.js';
import { identityMatches, withIdentity, type ReadonlyPod, type ReadonlyStatefulSet } from './identity.js';
import type { Action } from './plan.js';

export interface StatefulPodControlOptions {
  readonly pods: ResourceClient<Pod>;
  readonly claims: ResourceClient<PersistentVolumeClaim>;
  readonly recorder: EventRecorder;
}

/** Carries out actions, with the events of stateful_pod_control.go. */
export function createStatefulPodControl({ pods, claims, recorder }: StatefulPodControlOptions) {
  const told = (set: ReadonlyStatefulSet, verb: string, pod: ReadonlyPod, error?: unknown): void => {
    const what = `${verb} Pod ${pod.metadata.name ?? ''} in StatefulSet ${set.metadata.name ?? ''}`;
    if (error === undefined) recorder.event(set, 'Normal', `Successful${verb}`, `${what} successful`);
    else recorder.event(set, 'Warning', `Failed${verb}`, `${what} failed error: ${(error as Error).message}`);
  };
  const telling = async (
    set: ReadonlyStatefulSet,
    verb: string,
    pod: ReadonlyPod,
    write: () => Promise<unknown>,
  ): Promise<void> => {
    try {
      await write();
    } catch (error) {
      // Ours, which the cache does not show yet.
      if (!isStatusError(error, 'AlreadyExists')) told(set, verb, pod, error);
      throw error;
    }
    told(set, verb, pod);
  };

  const createClaims = async (set: ReadonlyStatefulSet, pod: ReadonlyPod, find: ClaimLookup): Promise<void> => {
    for (const name of claimNames(set, pod))
      if (find(name)?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`);
    for (const claim of missingClaims(set, pod, find)) {
      const name = claim.metadata.name ?? '';
      const what = `Create Claim ${name} Pod ${pod.metadata.name ?? ''} in StatefulSet ${set.metadata.name ?? ''}`;
      try {
        await claims.create(claim.metadata.namespace ?? '', claim);
        recorder.event(set, 'Normal', 'SuccessfulCreate', `${what} success`);
      } catch (error) {
        if (isStatusError(error, 'AlreadyExists')) continue;
        const text = (error as Error).message;
        recorder.event(set, 'Warning', 'FailedCreate', `${what} failed error: ${text}`);
        throw new Error(`failed to create PVC ${name}: ${text}`, { cause: error });
      }
    }
  };
  const ownClaims = async (set: ReadonlyStatefulSet, pod: ReadonlyPod, find: ClaimLookup): Promise<void> => {
    for (const name of claimNames(set, pod)) {
      const claim = find(name);
      const ownerReferences = claim === undefined ? undefined : wantedOwners(set, pod, claim);
      if (claim === undefined || ownerReferences === undefined) continue;
      await claims.update({
        ...(claim as PersistentVolumeClaim),
        metadata: { ...(claim as PersistentVolumeClaim).metadata, ownerReferences },
      });
    }
  };

  return async (set: ReadonlyStatefulSet, action: Action, find: ClaimLookup): Promise<void> => {
    const { pod } = action;
    const key = { namespace: set.metadata.namespace ?? '', name: pod.metadata.name ?? '' };
    switch (action.do) {
      case 'create':
        return telling(set, 'Create', pod, async () => {
          await createClaims(set, pod, find);
          await pods.create(key.namespace, pod as Pod);
        });
      case 'claim':
        return createClaims(set, pod, find);
      case 'own-claims':
        return ownClaims(set, pod, find);
      case 'repair':
        if (identityMatches(set, pod)) return ownClaims(set, pod, find);
        return telling(set, 'Update', pod, async () => {
          await ownClaims(set, pod, find);
          await createClaims(set, pod, find);
          await pods.update(withIdentity(set, pod));
        });
      case 'delete':
        if (action.ended !== undefined) {
          const [type, reason] =
            action.ended === 'failed'
              ? (['Warning', 'RecreatingFailedPod'] as const)
              : (['Normal', 'RecreatingTerminatedPod'] as const);
          const message = `StatefulSet ${key.namespace}/${set.metadata.name ?? ''} is recreating ${action.ended} Pod ${key.name}`;
          recorder.event(set, type, reason, message);
        }
        try {
          await telling(set, 'Delete', pod, () => pods.delete(key));
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
    }
  };
}
