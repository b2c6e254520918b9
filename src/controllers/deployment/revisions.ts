import type { DeepReadonly, Deployment, PodTemplateSpec, ReplicaSet } from '../../machinery/types.js';
import { canonicalJson } from './hash.js';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const TEMPLATE_HASH = 'pod-template-hash';

type ReadonlySet = DeepReadonly<ReplicaSet>;

const revisionIn = (annotations: Readonly<Record<string, string>> | undefined): bigint => {
  const text = annotations?.[REVISION] ?? '';
  return /^[+-]?\d+$/.test(text) ? BigInt(text) : 0n;
};

/** An int64 upstream, and anybody may write it; 0 where there is none. */
export const revisionOf = (object: DeepReadonly<ReplicaSet | Deployment>): bigint =>
  revisionIn(object.metadata.annotations);

/** Lowest revision first. */
export const byRevision = (a: ReadonlySet, b: ReadonlySet): number =>
  revisionOf(a) < revisionOf(b) ? -1 : revisionOf(a) > revisionOf(b) ? 1 : 0;

const withoutHash = (template: DeepReadonly<PodTemplateSpec> | undefined): string => {
  const { [TEMPLATE_HASH]: _hash, ...labels } = template?.metadata?.labels ?? {};
  return canonicalJson({ ...template, metadata: { ...template?.metadata, labels } });
};

/** The ReplicaSet with the Deployment's template, the oldest one if there are several (FindNewReplicaSet). */
export function findNew(deployment: DeepReadonly<Deployment>, sets: readonly ReadonlySet[]): ReadonlySet | undefined {
  const wanted = withoutHash(deployment.spec?.template);
  return [...sets]
    .sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1))
    .find(set => withoutHash(set.spec?.template) === wanted);
}

/** Annotations that stay on the Deployment: they would be wrong, or harmful, on its ReplicaSets. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
]);

/** A ReplicaSet's annotations as its Deployment wants them at `revision` (SetNewReplicaSetAnnotations). */
export function annotationsFor(
  deployment: DeepReadonly<Deployment>,
  current: Readonly<Record<string, string>> | undefined,
  revision: bigint,
): Record<string, string> {
  const annotations: Record<string, string> = { ...current };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (!NOT_COPIED.has(key)) annotations[key] = value;
  const old = revisionIn(current);
  if (old < revision) {
    if (old > 0n) {
      const history = (current?.[REVISION_HISTORY] ?? '').split(',').filter(text => text !== '');
      annotations[REVISION_HISTORY] = [...history, String(old)].join(',');
    }
    annotations[REVISION] = String(revision);
  }
  return annotations;
}

/** Old, empty ReplicaSets beyond revisionHistoryLimit, lowest revision first (cleanupDeployment). */
export function expiredRevisions(deployment: DeepReadonly<Deployment>, old: readonly ReadonlySet[]): ReadonlySet[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  const live = old.filter(set => set.metadata.deletionTimestamp === undefined);
  return [...live]
    .sort(byRevision)
    .slice(0, Math.max(0, live.length - limit))
    .filter(
      set =>
        (set.status?.replicas ?? 0) === 0 &&
        (set.spec?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    );
}
