import type { Clock } from '../../machinery/clock.js';
import type { Informer, ResourceClient } from '../../client/types.js';
import { keyOf } from '../../client/types.js';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../machinery/types.js';
import { BIND_COMPLETED, createBinder } from '../persistentvolume/bind.js';
import { SELECTED_NODE } from '../persistentvolume/provision.js';
import type { ReadonlyClaim, ReadonlyVolume } from './plugins/claims.js';
import type { PodInfo } from './pod-info.js';
import type { VolumePlan } from './plugins/claims.js';

/** How long the binding of a Pod waits for its volumes (VolumeBindingArgs.bindTimeoutSeconds). */
const BIND_TIMEOUT_MS = 600_000;

/** Binds claims for a Pod that has got its node, and keeps others off meanwhile. */
export interface ClaimBinder {
  /** Promised to another claim, or being bound to one. */
  isTaken(volume: ReadonlyVolume, claim: ReadonlyClaim): boolean;
  reserve(plan: VolumePlan): void;
  release(plan: VolumePlan): void;
  /** Writes what was planned and waits until every claim is bound. @throws Error when one will not be, or the Pod goes */
  carryOut(plan: VolumePlan, pod: PodInfo, node: string, signal: AbortSignal): Promise<void>;
}

export interface ClaimBinderOptions {
  readonly clock: Clock;
  readonly pods: Informer<Pod>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumeClient: ResourceClient<PersistentVolume>;
  readonly claimClient: ResourceClient<PersistentVolumeClaim>;
}

export function createClaimBinder({ clock, pods, claims, volumeClient, claimClient }: ClaimBinderOptions): ClaimBinder {
  /** Volume → the claim it is being bound to. */
  const reserved = new Map<string, string>();
  const waiters = new Set<() => void>();
  const wake = (): void => {
    for (const waiter of [...waiters]) waiter();
  };
  claims.addHandler({ add: wake, update: wake, delete: wake });
  pods.addHandler({ delete: wake });
  const binder = createBinder({ volumes: volumeClient, claims: claimClient });

  /** Whether the claim is bound; throws when it never will be. */
  const isDone = (wanted: ReadonlyClaim, node: string | undefined): boolean => {
    const claim = claims.indexer.get(keyOf(wanted));
    if (claim === undefined || claim.metadata.uid !== wanted.metadata.uid)
      throw new Error(`failed to check binding: persistentvolumeclaim "${wanted.metadata.name ?? ''}" not found`);
    if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined && claim.spec?.volumeName) return true;
    // The provisioner takes the node back where it cannot make a volume for it.
    const isNewer = Number(claim.metadata.resourceVersion) >= Number(wanted.metadata.resourceVersion);
    if (node !== undefined && isNewer && claim.metadata.annotations?.[SELECTED_NODE] !== node)
      throw new Error(`provisioning failed for PVC "${claim.metadata.name ?? ''}"`);
    return false;
  };
  const until = (isReady: () => boolean, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const finish = (end: () => void): void => {
        waiters.delete(check);
        signal.removeEventListener('abort', aborted);
        cancel();
        end();
      };
      const aborted = (): void => finish(() => reject(signal.reason as Error));
      const check = (): void => {
        try {
          if (isReady()) finish(resolve);
        } catch (error) {
          finish(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      const cancel = clock.after(BIND_TIMEOUT_MS, () => finish(() => reject(new Error('timed out'))));
      waiters.add(check);
      signal.addEventListener('abort', aborted);
      check();
    });

  return {
    isTaken(volume, claim) {
      const by = reserved.get(volume.metadata.name ?? '');
      return by !== undefined && by !== keyOf(claim);
    },
    reserve({ bind }) {
      for (const { claim, volume } of bind) reserved.set(volume.metadata.name ?? '', keyOf(claim));
    },
    release({ bind }) {
      for (const { volume } of bind) reserved.delete(volume.metadata.name ?? '');
    },
    async carryOut({ bind, provision }, { key, id, pod }, node, signal) {
      // The persistent volume controller completes what is begun here.
      for (const { claim, volume } of bind) await binder.reserve(volume, claim);
      const selected: ReadonlyClaim[] = [];
      for (const claim of provision) {
        const metadata = (claim as PersistentVolumeClaim).metadata;
        const annotations = { ...metadata.annotations, [SELECTED_NODE]: node };
        const isSelected = metadata.annotations?.[SELECTED_NODE] === node;
        selected.push(
          isSelected
            ? claim
            : await claimClient.update({ ...(claim as PersistentVolumeClaim), metadata: { ...metadata, annotations } }),
        );
      }
      try {
        const isHere = (): true => {
          if (pods.indexer.get(key)?.metadata.uid === id) return true;
          const name = pod.metadata.name ?? '';
          throw new Error(`pod does not exist any more: pod "${name}" not found`);
        };
        await until(
          () =>
            isHere() &&
            bind.every(({ claim }) => isDone(claim, undefined)) &&
            selected.every(claim => isDone(claim, node)),
          signal,
        );
      } catch (error) {
        throw new Error(`binding volumes: ${(error as Error).message}`, { cause: error });
      }
    },
  };
}
