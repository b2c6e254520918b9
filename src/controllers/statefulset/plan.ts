import type { OwnerReference, StatefulSet } from '../../machinery/types.js';
import type { Revision } from '../history.js';
import { isAvailable, isDeleting, isReady } from '../pods.js';
import { hasStaleClaim, ownersDiffer, type ClaimLookup } from './claims.js';
import {
  identityMatches,
  newPod,
  ordinalOf,
  podRevision,
  replicasOf,
  startOrdinal,
  type ReadonlyPod,
  type ReadonlyStatefulSet,
} from './identity.js';

export type StatefulSetStatus = NonNullable<StatefulSet['status']>;

export type Action =
  | { readonly do: 'create'; readonly pod: ReadonlyPod }
  | { readonly do: 'delete'; readonly pod: ReadonlyPod }
  /** Makes claims that are missing under a Pod that waits for them. */
  | { readonly do: 'claim'; readonly pod: ReadonlyPod }
  /** Labels, volumes or the owners of claims are not as they should be. */
  | { readonly do: 'repair'; readonly pod: ReadonlyPod }
  | { readonly do: 'own-claims'; readonly pod: ReadonlyPod };

export interface StatefulSetInput {
  readonly set: ReadonlyStatefulSet;
  /** Members, whatever their ordinal. */
  readonly pods: readonly ReadonlyPod[];
  readonly current: Revision;
  readonly update: Revision;
  readonly collisionCount: number;
  readonly reference: OwnerReference;
  readonly claim: ClaimLookup;
  readonly nowMs: number;
}

export interface StatefulSetPlan {
  /** One after the other; the actions within a step at once, growing from one (slow start). */
  readonly steps: readonly (readonly Action[])[];
  readonly status: StatefulSetStatus;
}

const isRunningAndReady = (pod: ReadonlyPod): boolean => pod.status?.phase === 'Running' && isReady(pod);
const isCreated = (pod: ReadonlyPod): boolean => (pod.status?.phase ?? '') !== '';

/** The set as it was, or will be, at a revision (ApplyRevision). */
function atRevision(set: ReadonlyStatefulSet, revision: Revision): ReadonlyStatefulSet {
  const data = revision['data'] as { spec?: { template?: Record<string, unknown> } } | undefined;
  const { $patch: _replace, ...template } = data?.spec?.template ?? {};
  return { ...set, spec: { ...(set.spec as NonNullable<ReadonlyStatefulSet['spec']>), template } };
}

/** Below the partition, Pods are made at the revision that was there before (newVersionedStatefulSetPod). */
function usesCurrent(set: ReadonlyStatefulSet, ordinal: number): boolean {
  const strategy = set.spec?.updateStrategy;
  if (strategy?.type !== 'RollingUpdate') return false;
  const upTo =
    strategy.rollingUpdate === undefined ? (set.status?.currentReplicas ?? 0) : (strategy.rollingUpdate.partition ?? 0);
  return ordinal < startOrdinal(set) + upTo;
}

function countStatus({ set, pods, current, update, collisionCount, nowMs }: StatefulSetInput): StatefulSetStatus {
  const minReady = set.spec?.minReadySeconds ?? 0;
  const ready = pods.filter(isRunningAndReady);
  const live = pods.filter(pod => isCreated(pod) && !isDeleting(pod));
  const at = (revision: Revision): number => live.filter(pod => podRevision(pod) === revision.metadata.name).length;
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.filter(isCreated).length,
    readyReplicas: ready.length,
    currentReplicas: at(current),
    updatedReplicas: at(update),
    currentRevision: current.metadata.name ?? '',
    updateRevision: update.metadata.name ?? '',
    collisionCount,
    availableReplicas: ready.filter(pod => isAvailable(pod, minReady, nowMs)).length,
  };
}

/** Once all Pods run the update, it is what is current (completeRollingUpdate). */
function completed(set: ReadonlyStatefulSet, status: StatefulSetStatus): StatefulSetStatus {
  const wanted = replicasOf(set);
  const done =
    set.spec?.updateStrategy?.type === 'RollingUpdate' &&
    status.updatedReplicas === wanted &&
    status.readyReplicas === wanted &&
    status.replicas === wanted;
  return done
    ? { ...status, currentReplicas: status.updatedReplicas ?? 0, currentRevision: status.updateRevision ?? '' }
    : status;
}

/**
 * What to do next for a StatefulSet, and its status before that (stateful_set_control.go updateStatefulSet). Ordered
 * management takes one step at a time and waits for each Pod to be available; parallel management does not wait.
 */
export function planStatefulSet(input: StatefulSetInput): StatefulSetPlan {
  const { set, pods, current, update, reference, claim, nowMs } = input;
  const status = countStatus(input);
  const plan = (steps: readonly (readonly Action[])[], removed = 0): StatefulSetPlan => ({
    steps: steps.filter(step => step.length > 0),
    status: completed(set, { ...status, currentReplicas: (status.currentReplicas ?? 0) - removed }),
  });
  if (set.metadata.deletionTimestamp !== undefined) return plan([]);

  const minReady = set.spec?.minReadySeconds ?? 0;
  const ordered = set.spec?.podManagementPolicy !== 'Parallel';
  const isUsable = (pod: ReadonlyPod): boolean => isRunningAndReady(pod) && isAvailable(pod, minReady, nowMs);
  const isUnavailable = (pod: ReadonlyPod): boolean => !isUsable(pod) || isDeleting(pod);

  const first = startOrdinal(set);
  const [currentSet, updateSet] = [atRevision(set, current), atRevision(set, update)];
  const members = new Map(pods.map(pod => [ordinalOf(pod), pod]));
  const replicas = Array.from({ length: replicasOf(set) }, (_, i) => {
    const ordinal = first + i;
    const old = usesCurrent(set, ordinal);
    const revision = (old ? current : update).metadata.name ?? '';
    return members.get(ordinal) ?? newPod(old ? currentSet : updateSet, reference, revision, ordinal);
  });
  const condemned = pods
    .filter(pod => ordinalOf(pod) < first || ordinalOf(pod) >= first + replicas.length)
    .sort((a, b) => ordinalOf(b) - ordinalOf(a));
  const firstUnavailable = replicas.find(isUnavailable) ?? condemned.findLast(isUnavailable);

  const tending: Action[] = [];
  for (const pod of replicas) {
    const { actions, wait } = tend(pod);
    tending.push(...actions);
    if (wait && ordered) return plan(tending.map(action => [action]));
  }
  const steps: Action[][] = ordered ? tending.map(action => [action]) : [tending];
  steps.push(condemned.filter(pod => ownersDiffer(updateSet, pod, claim)).map(pod => ({ do: 'own-claims', pod })));

  const scaling: Action[] = [];
  for (const pod of condemned) {
    if (isDeleting(pod)) {
      if (ordered) return plan(steps);
    } else if (ordered) {
      // Predecessors must be there before the next goes, except that the one that is broken itself may go.
      const blocked = !isUsable(pod) && pod !== firstUnavailable;
      return plan(blocked ? steps : [...steps, [{ do: 'delete', pod }]]);
    } else scaling.push({ do: 'delete', pod });
  }
  steps.push(scaling);

  if (set.spec?.updateStrategy?.type === 'OnDelete') return plan(steps);
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (const pod of replicas.slice(partition).reverse()) {
    if (podRevision(pod) !== update.metadata.name && !isDeleting(pod) && isCreated(pod))
      return plan([...steps, [{ do: 'delete', pod }]], podRevision(pod) === current.metadata.name ? 1 : 0);
    if (isUnavailable(pod)) return plan(steps);
  }
  return plan(steps);

  /** What one replica needs; `wait`: ordered management goes no further for now (processReplica). */
  function tend(pod: ReadonlyPod): { actions: Action[]; wait: boolean } {
    const phase = pod.status?.phase;
    // The next Pod is made once this one is gone.
    if (phase === 'Failed' || phase === 'Succeeded')
      return { actions: isDeleting(pod) ? [] : [{ do: 'delete', pod }], wait: true };
    if (!isCreated(pod))
      return { actions: hasStaleClaim(updateSet, pod, claim) ? [] : [{ do: 'create', pod }], wait: true };
    const actions: Action[] = phase === 'Pending' ? [{ do: 'claim', pod }] : [];
    if (ordered && isUnavailable(pod)) return { actions, wait: true };
    if (!identityMatches(set, pod) || ownersDiffer(updateSet, pod, claim)) actions.push({ do: 'repair', pod });
    return { actions, wait: false };
  }
}
