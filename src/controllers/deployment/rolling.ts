import type { DeepReadonly, Deployment, ReplicaSet } from '../../machinery/types.js';

type ReadonlySet = DeepReadonly<ReplicaSet>;

const DESIRED = 'deployment.kubernetes.io/desired-replicas';
const MAX = 'deployment.kubernetes.io/max-replicas';

export const replicasOf = (set: ReadonlySet): number => set.spec?.replicas ?? 0;
export const available = (set: ReadonlySet): number => set.status?.availableReplicas ?? 0;
export const sum = (sets: readonly ReadonlySet[], of: (set: ReadonlySet) => number): number =>
  sets.reduce((total, set) => total + of(set), 0);

/** "25%" or 3 of `total`; percentages round up or down (intstr.GetScaledValueFromIntOrPercent). */
export function scaledValue(value: string | number | undefined, total: number, round: 'up' | 'down'): number {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  const part = (Number(value.replace(/%$/, '')) * total) / 100;
  return round === 'up' ? Math.ceil(part) : Math.floor(part);
}

export interface Fenceposts {
  readonly surge: number;
  readonly unavailable: number;
}

/** maxSurge rounds up, maxUnavailable down; both 0 could never make progress, so 1 may then be unavailable. */
export function fenceposts(deployment: DeepReadonly<Deployment>): Fenceposts {
  const desired = deployment.spec?.replicas ?? 1;
  if (deployment.spec?.strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 };
  const rolling = deployment.spec?.strategy?.rollingUpdate;
  const surge = scaledValue(rolling?.maxSurge, desired, 'up');
  const unavailable = scaledValue(rolling?.maxUnavailable, desired, 'down');
  return { surge, unavailable: Math.min(desired, surge === 0 && unavailable === 0 ? 1 : unavailable) };
}

export interface Scaling {
  readonly set: ReadonlySet;
  readonly to: number;
}

/** How far the new ReplicaSet may grow now (deployment_util.go NewRSNewReplicas). */
export function newReplicas(
  deployment: DeepReadonly<Deployment>,
  all: readonly ReadonlySet[],
  fresh: ReadonlySet,
): number {
  const desired = deployment.spec?.replicas ?? 1;
  if (deployment.spec?.strategy?.type === 'Recreate') return desired;
  const room = desired + fenceposts(deployment).surge - sum(all, replicasOf);
  if (room <= 0) return replicasOf(fresh);
  return replicasOf(fresh) + Math.min(room, Math.max(0, desired - replicasOf(fresh)));
}

/** Which old ReplicaSets shrink now without breaking maxUnavailable: unhealthy Pods first, then oldest sets first. */
export function scaleDownOld(
  deployment: DeepReadonly<Deployment>,
  all: readonly ReadonlySet[],
  old: readonly ReadonlySet[],
  fresh: ReadonlySet,
): Scaling[] {
  if (sum(old, replicasOf) === 0) return [];
  const minAvailable = (deployment.spec?.replicas ?? 1) - fenceposts(deployment).unavailable;
  const newUnavailable = replicasOf(fresh) - available(fresh);
  let budget = sum(all, replicasOf) - minAvailable - newUnavailable;
  if (budget <= 0) return [];

  const byAge = [...old].sort((a, b) =>
    (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1,
  );
  const target = new Map(byAge.map(set => [set, replicasOf(set)]));
  for (const set of byAge) {
    if (budget <= 0) break;
    const unhealthy = Math.min(budget, replicasOf(set) - available(set));
    if (unhealthy <= 0) continue;
    target.set(set, replicasOf(set) - unhealthy);
    budget -= unhealthy;
  }
  // What unhealthy Pods freed does not count here: only available Pods above the minimum may go.
  let surplus = sum(all, available) - minAvailable;
  for (const set of byAge) {
    if (surplus <= 0) break;
    const down = Math.min(surplus, target.get(set) ?? 0);
    target.set(set, (target.get(set) ?? 0) - down);
    surplus -= down;
  }
  return byAge.filter(set => target.get(set) !== replicasOf(set)).map(set => ({ set, to: target.get(set) ?? 0 }));
}

/** True when spec.replicas changed while the rollout was under way (deployment/sync.go isScalingEvent). */
export const isScalingEvent = (deployment: DeepReadonly<Deployment>, sets: readonly ReadonlySet[]): boolean =>
  sets.some(
    set =>
      replicasOf(set) > 0 &&
      Number(set.metadata.annotations?.[DESIRED] ?? NaN) !== (deployment.spec?.replicas ?? 1) &&
      set.metadata.annotations?.[DESIRED] !== undefined,
  );

const growth = (set: ReadonlySet, allowed: number, before: number): number =>
  Math.round((replicasOf(set) * allowed) / before) - replicasOf(set);

/** Proportional scaling: every active set gets its share of the change, larger ones first (deployment/sync.go scale). */
export function scaleProportionally(deployment: DeepReadonly<Deployment>, active: readonly ReadonlySet[]): Scaling[] {
  const desired = deployment.spec?.replicas ?? 1;
  const total = sum(active, replicasOf);
  const allowed = desired > 0 ? desired + fenceposts(deployment).surge : 0;
  const toAdd = allowed - total;
  const ordered = [...active].sort((a, b) => {
    const age = (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1;
    return replicasOf(b) - replicasOf(a) || (toAdd > 0 ? -age : age);
  });
  const target = new Map<ReadonlySet, number>();
  let added = 0;
  for (const set of ordered) {
    let share = 0;
    if (toAdd !== 0) {
      const before = Number(set.metadata.annotations?.[MAX] ?? '') || (deployment.status?.replicas ?? 0);
      const fraction = desired === 0 ? -replicasOf(set) : before === 0 ? 0 : growth(set, allowed, before);
      const left = toAdd - added;
      share = toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
    }
    target.set(set, replicasOf(set) + share);
    added += share;
  }
  const first = ordered[0];
  if (first !== undefined) target.set(first, Math.max(0, (target.get(first) ?? 0) + toAdd - added));
  return ordered.map(set => ({ set, to: target.get(set) ?? 0 }));
}

export const replicaAnnotations = (deployment: DeepReadonly<Deployment>): Record<string, string> => {
  const desired = deployment.spec?.replicas ?? 1;
  return { [DESIRED]: String(desired), [MAX]: String(desired + fenceposts(deployment).surge) };
};
