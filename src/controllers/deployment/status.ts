import type { DeepReadonly, Deployment, ReplicaSet } from '../../machinery/types.js';
import { available, fenceposts, replicasOf, sum } from './rolling.js';

type ReadonlySet = DeepReadonly<ReplicaSet>;
export type DeploymentStatus = NonNullable<Deployment['status']>;
export type DeploymentCondition = NonNullable<DeploymentStatus['conditions']>[number];

export const conditionOf = (
  deployment: DeepReadonly<Deployment>,
  type: string,
): DeepReadonly<DeploymentCondition> | undefined =>
  deployment.status?.conditions?.find(condition => condition.type === type);

/** A copy of `conditions` in which this one holds; its transition time moves only when the status does. */
export function withCondition(
  conditions: readonly DeepReadonly<DeploymentCondition>[],
  next: { type: string; status: 'True' | 'False' | 'Unknown'; reason: string; message: string },
  now: string,
): DeploymentCondition[] {
  const old = conditions.find(condition => condition.type === next.type);
  if (old?.status === next.status && old.reason === next.reason) return [...conditions] as DeploymentCondition[];
  const condition = {
    type: next.type,
    status: next.status,
    lastUpdateTime: now,
    lastTransitionTime: old?.status === next.status ? (old.lastTransitionTime ?? now) : now,
    reason: next.reason,
    message: next.message,
  } as unknown as DeploymentCondition;
  return [...conditions.filter(c => c.type !== next.type), condition] as DeploymentCondition[];
}

/** Everything asked for runs the new template and is available (DeploymentComplete). */
export const isComplete = (deployment: DeepReadonly<Deployment>, status: DeploymentStatus): boolean => {
  const desired = deployment.spec?.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
};

const isProgressing = (old: DeepReadonly<DeploymentStatus> | undefined, status: DeploymentStatus): boolean => {
  const oldOf = (s: DeepReadonly<DeploymentStatus> | undefined): number =>
    (s?.replicas ?? 0) - (s?.updatedReplicas ?? 0);
  return (
    (status.updatedReplicas ?? 0) > (old?.updatedReplicas ?? 0) ||
    oldOf(status) < oldOf(old) ||
    (status.readyReplicas ?? 0) > (old?.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old?.availableReplicas ?? 0)
  );
};

/** MaxInt32 means none. */
export const hasProgressDeadline = ({ spec }: DeepReadonly<Deployment>): boolean =>
  spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds < 2 ** 31 - 1;

/** Milliseconds until the progress deadline, negative once it is over; undefined when none is running. */
export function deadlineIn(deployment: DeepReadonly<Deployment>, nowMs: number): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  const progressing = conditionOf(deployment, 'Progressing');
  if (seconds === undefined || !hasProgressDeadline(deployment) || progressing?.lastUpdateTime === undefined)
    return undefined;
  if (progressing.reason === 'NewReplicaSetAvailable' || progressing.reason === 'DeploymentPaused') return undefined;
  return Date.parse(progressing.lastUpdateTime) + seconds * 1000 - nowMs;
}

/** Counts and the Available condition (deployment/sync.go calculateStatus). */
export function countedStatus(
  deployment: DeepReadonly<Deployment>,
  all: readonly ReadonlySet[],
  fresh: ReadonlySet | undefined,
  now: string,
): DeploymentStatus {
  const total = sum(all, set => set.status?.replicas ?? 0);
  const availableReplicas = sum(all, available);
  const readyReplicas = sum(all, set => set.status?.readyReplicas ?? 0);
  // One that has not said makes the sum unknown.
  const terminating = all.every(set => set.status?.terminatingReplicas !== undefined)
    ? sum(all, set => set.status?.terminatingReplicas ?? 0)
    : undefined;
  const minimum = (deployment.spec?.replicas ?? 1) - fenceposts(deployment).unavailable;
  const conditions = withCondition(
    deployment.status?.conditions ?? [],
    availableReplicas >= minimum
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    now,
  );
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: total,
    updatedReplicas: fresh === undefined ? 0 : (fresh.status?.replicas ?? 0),
    readyReplicas,
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(all, replicasOf) - availableReplicas),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions,
  };
}

/** countedStatus plus Progressing and ReplicaFailure (deployment/progress.go syncRolloutStatus). */
export function rolloutStatus(
  deployment: DeepReadonly<Deployment>,
  all: readonly ReadonlySet[],
  fresh: ReadonlySet | undefined,
  nowMs: number,
  now: string,
): DeploymentStatus {
  const status = countedStatus(deployment, all, fresh, now);
  let conditions = status.conditions ?? [];
  const what =
    fresh === undefined
      ? `Deployment "${deployment.metadata.name ?? ''}"`
      : `ReplicaSet "${fresh.metadata.name ?? ''}"`;
  const progressing = conditionOf(deployment, 'Progressing');
  const hasDeadline = hasProgressDeadline(deployment);
  if (!hasDeadline) conditions = conditions.filter(condition => condition.type !== 'Progressing');
  // A finished rollout stays finished while only its Pods come and go.
  const wasComplete = status.replicas === status.updatedReplicas && progressing?.reason === 'NewReplicaSetAvailable';
  if (hasDeadline && !wasComplete) {
    const set = (value: 'True' | 'False', reason: string, message: string): void => {
      conditions = withCondition(conditions, { type: 'Progressing', status: value, reason, message }, now);
    };
    if (isComplete(deployment, status)) set('True', 'NewReplicaSetAvailable', `${what} has successfully progressed.`);
    else if (isProgressing(deployment.status, status)) {
      const message = `${what} is progressing.`;
      if (progressing?.status === 'True') {
        // Every step forward restarts the deadline, so the update time must move even when nothing else does.
        const moved = {
          ...progressing,
          reason: 'ReplicaSetUpdated',
          message,
          lastUpdateTime: now,
        } as unknown as DeploymentCondition;
        conditions = [...conditions.filter(c => c.type !== 'Progressing'), moved];
      } else set('True', 'ReplicaSetUpdated', message);
    } else if ((deadlineIn(deployment, nowMs) ?? 1) <= 0)
      set('False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`);
  }
  const failure = [fresh, ...all]
    .flatMap(set => set?.status?.conditions ?? [])
    .find(condition => condition.type === 'ReplicaFailure');
  conditions = conditions.filter(condition => condition.type !== 'ReplicaFailure');
  if (failure !== undefined)
    conditions = withCondition(
      [...conditions, ...(deployment.status?.conditions ?? []).filter(c => c.type === 'ReplicaFailure')],
      { type: 'ReplicaFailure', status: 'True', reason: failure.reason ?? '', message: failure.message ?? '' },
      now,
    );
  return { ...status, conditions };
}
