import type { DeepReadonly, KubeObject, OwnerReference, PersistentVolumeClaim } from '../../machinery/types.js';
import { controllerReference } from '../ownership.js';
import {
  claimName,
  ordinalOf,
  replicasOf,
  startOrdinal,
  type ReadonlyPod,
  type ReadonlyStatefulSet,
} from './identity.js';

export type ReadonlyClaim = DeepReadonly<PersistentVolumeClaim>;

/** Finds a claim of the set's namespace by name. */
export type ClaimLookup = (name: string) => ReadonlyClaim | undefined;

export const claimNames = (set: ReadonlyStatefulSet, pod: ReadonlyPod): string[] =>
  (set.spec?.volumeClaimTemplates ?? []).map(template => claimName(set, template.metadata?.name ?? '', ordinalOf(pod)));

export const missingClaims = (set: ReadonlyStatefulSet, pod: ReadonlyPod, find: ClaimLookup): PersistentVolumeClaim[] =>
  (set.spec?.volumeClaimTemplates ?? []).flatMap(template => {
    const name = claimName(set, template.metadata?.name ?? '', ordinalOf(pod));
    if (find(name) !== undefined) return [];
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        ...template.metadata,
        name,
        namespace: set.metadata.namespace ?? '',
        labels: { ...template.metadata?.labels, ...set.spec?.selector.matchLabels },
      },
      spec: template.spec,
    } as unknown as PersistentVolumeClaim;
    return [claim];
  });

const refersTo = (reference: DeepReadonly<OwnerReference>, owner: DeepReadonly<KubeObject>): boolean =>
  reference.uid === owner.metadata.uid;

const isScaledDown = (set: ReadonlyStatefulSet, pod: ReadonlyPod): boolean => {
  const ordinal = ordinalOf(pod);
  return ordinal < startOrdinal(set) || ordinal >= startOrdinal(set) + replicasOf(set);
};

/** Somebody else manages a claim that the retention policy speaks of. */
export const hasConflictingController = (set: ReadonlyStatefulSet, pod: ReadonlyPod, claim: ReadonlyClaim): boolean => {
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  return (
    (policy?.whenScaled === 'Delete' || policy?.whenDeleted === 'Delete') &&
    (claim.metadata.ownerReferences ?? []).some(r => r.controller === true && !refersTo(r, set) && !refersTo(r, pod))
  );
};

/**
 * The owners that spec.persistentVolumeClaimRetentionPolicy wants a claim to have, so that the garbage collector
 * deletes it with the set, or with a Pod that was scaled away; undefined when it has them already, or when another
 * controller owns it (stateful_set_utils.go updateClaimOwnerRefForSetAndPod).
 */
export function wantedOwners(
  set: ReadonlyStatefulSet,
  pod: ReadonlyPod,
  claim: ReadonlyClaim,
): OwnerReference[] | undefined {
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  const references = claim.metadata.ownerReferences ?? [];
  if (references.some(r => r.controller === true && !refersTo(r, set) && !refersTo(r, pod))) return undefined;
  const byPod = policy?.whenScaled === 'Delete' && isScaledDown(set, pod);
  const bySet = policy?.whenDeleted === 'Delete' && !byPod;
  const kept = references.filter(r => (refersTo(r, set) ? bySet : refersTo(r, pod) ? byPod : true));
  const wanted = [...kept];
  if (bySet && !kept.some(r => refersTo(r, set))) wanted.push(controllerReference(set, 'apps/v1', 'StatefulSet'));
  if (byPod && !kept.some(r => refersTo(r, pod))) wanted.push(controllerReference(pod, 'v1', 'Pod'));
  const same = wanted.length === references.length && wanted.every(r => references.includes(r));
  return same ? undefined : wanted;
}

export const ownersDiffer = (set: ReadonlyStatefulSet, pod: ReadonlyPod, find: ClaimLookup): boolean =>
  claimNames(set, pod).some(name => {
    const claim = find(name);
    return claim !== undefined && wantedOwners(set, pod, claim) !== undefined;
  });

/** A claim that still belongs to an earlier Pod of the name is about to be deleted with it: no Pod may use it again. */
export const hasStaleClaim = (set: ReadonlyStatefulSet, pod: ReadonlyPod, find: ClaimLookup): boolean =>
  set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete' &&
  claimNames(set, pod).some(name =>
    (find(name)?.metadata.ownerReferences ?? []).some(
      r => r.kind === 'Pod' && r.name === pod.metadata.name && r.uid !== pod.metadata.uid,
    ),
  );
