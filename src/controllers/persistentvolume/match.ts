import { labelSelectorAsSelector, type Labels } from '../../machinery/labels.js';
import { compareQuantities, parseQuantity, type Quantity } from '../../machinery/quantity.js';
import { termMatches } from '../../machinery/scheduling/node-affinity.js';
import type { DeepReadonly, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../machinery/types.js';

export type ReadonlyVolume = DeepReadonly<PersistentVolume>;
export type ReadonlyClaim = DeepReadonly<PersistentVolumeClaim>;
export type ReadonlyClass = DeepReadonly<StorageClass>;

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** The annotation is older than the field and goes before it (GetPersistentVolumeClaimClass). */
export const classOf = (object: ReadonlyVolume | ReadonlyClaim): string =>
  object.metadata.annotations?.[BETA_CLASS] ?? object.spec?.storageClassName ?? '';

export const isReservedFor = ({ spec }: ReadonlyVolume, { metadata }: ReadonlyClaim): boolean => {
  const reference = spec?.claimRef;
  if (reference?.name !== metadata.name || reference?.namespace !== metadata.namespace) return false;
  return (reference?.uid ?? '') === '' || reference?.uid === metadata.uid;
};

const requested = ({ spec }: ReadonlyClaim): Quantity => parseQuantity(spec?.resources?.requests?.['storage'] ?? '0');
const capacity = ({ spec }: ReadonlyVolume): Quantity => parseQuantity(spec?.capacity?.['storage'] ?? '0');
const isLargeEnough = (volume: ReadonlyVolume, claim: ReadonlyClaim): boolean =>
  compareQuantities(capacity(volume), requested(claim)) >= 0;

/** Why a claim cannot have the volume it asks for by name; undefined when it can (checkVolumeSatisfyClaim). */
export function mismatch(volume: ReadonlyVolume, claim: ReadonlyClaim): string | undefined {
  if (!isLargeEnough(volume, claim)) return 'requested PV is too small';
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if ((volume.spec?.volumeAttributesClassName ?? '') !== (claim.spec?.volumeAttributesClassName ?? ''))
    return 'volumeAttributesClassName does not match';
  if ((volume.spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem'))
    return 'incompatible volumeMode';
  const modes = volume.spec?.accessModes ?? [];
  if (!(claim.spec?.accessModes ?? []).every(mode => modes.includes(mode))) return 'incompatible accessMode';
  return undefined;
}

/**
 * The volume that waits for the claim, or else the smallest free one that will do (FindMatchingVolume).
 * @param delayed free volumes are not taken: the scheduler chooses when it places the first Pod
 */
export function findVolume(
  claim: ReadonlyClaim,
  volumes: Iterable<ReadonlyVolume>,
  delayed: boolean,
): ReadonlyVolume | undefined {
  const selector = claim.spec?.selector === undefined ? undefined : labelSelectorAsSelector(claim.spec.selector);
  let best: ReadonlyVolume | undefined;
  for (const volume of volumes) {
    if (volume.metadata.deletionTimestamp !== undefined) continue;
    if (isReservedFor(volume, claim)) {
      if (isLargeEnough(volume, claim)) return volume;
      continue;
    }
    if (delayed || volume.spec?.claimRef !== undefined || volume.status?.phase !== 'Available') continue;
    if (selector?.matches(volume.metadata.labels) === false || mismatch(volume, claim) !== undefined) continue;
    if (best === undefined || compareQuantities(capacity(volume), capacity(best)) < 0) best = volume;
  }
  return best;
}

/** Whether a node can mount the volume. */
export function isUsableOn(volume: ReadonlyVolume, labels: Labels, node: string): boolean {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return terms === undefined || terms.some(term => termMatches(term, labels, node));
}

/** As findVolume, among the volumes that a node can mount and nobody has taken. */
export function findVolumeFor(
  claim: ReadonlyClaim,
  volumes: Iterable<ReadonlyVolume>,
  node: { readonly name: string; readonly labels: Labels },
  isTaken: (volume: ReadonlyVolume) => boolean,
): ReadonlyVolume | undefined {
  const usable = [...volumes].filter(volume => !isTaken(volume) && isUsableOn(volume, node.labels, node.name));
  return findVolume(claim, usable, false);
}
