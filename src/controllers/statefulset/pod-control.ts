import type { EventRecorder } from '../../client/event-recorder.js';
import type { ResourceClient } from '../../client/types.js';
import { isStatusError } from '../../machinery/status.js';
import type { PersistentVolumeClaim, Pod } from '../../machinery/types.js';
import { claimNames, hasConflictingController, missingClaims, wantedOwners, type ClaimLookup } from './claims.js';
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
      const where = `Pod ${pod.metadata.name ?? ''} in StatefulSet ${set.metadata.name ?? ''}`;
      try {
        await claims.create(claim.metadata.namespace ?? '', claim);
        recorder.event(set, 'Normal', 'SuccessfulCreate', `Create Claim ${name} ${where} success`);
      } catch (error) {
        const text = (error as Error).message;
        // Another's claim of the name, or ours that the cache does not show yet: the next sync will tell.
        if (!isStatusError(error, 'AlreadyExists'))
          recorder.event(set, 'Warning', 'FailedCreate', `Create Claim ${name} for ${where} failed error: ${text}`);
        throw new Error(`failed to create PVC ${name}: ${text}`, { cause: error });
      }
    }
  };
  const ownClaims = async (set: ReadonlyStatefulSet, pod: ReadonlyPod, find: ClaimLookup): Promise<void> => {
    for (const name of claimNames(set, pod)) {
      const claim = find(name);
      const ownerReferences = claim === undefined ? undefined : wantedOwners(set, pod, claim);
      if (claim === undefined) continue;
      if (hasConflictingController(set, pod, claim)) {
        const message = `PersistentVolumeClaim ${name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`;
        recorder.event(set, 'Warning', 'ConflictingController', message);
      }
      if (ownerReferences === undefined) continue;
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
          await ownClaims(set, pod, find);
        });
      case 'claim':
        await createClaims(set, pod, find);
        return ownClaims(set, pod, find);
      case 'own-claims':
        return ownClaims(set, pod, find);
      case 'repair':
        return telling(set, 'Update', pod, async () => {
          if (!identityMatches(set, pod)) await createClaims(set, pod, find);
          await ownClaims(set, pod, find);
          await pods.update(withIdentity(set, pod));
        });
      case 'delete':
        try {
          await telling(set, 'Delete', pod, () => pods.delete(key));
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
    }
  };
}
