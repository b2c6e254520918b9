import type { DeepReadonly, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../machinery/types.js';
import type { Indexer } from '../../../client/types.js';
import type { ReadonlyPod } from '../pod-info.js';

export type ReadonlyClaim = DeepReadonly<PersistentVolumeClaim>;
export type ReadonlyVolume = DeepReadonly<PersistentVolume>;

/** What the volume plugins look things up in. */
export interface VolumeLists {
  readonly claims: Indexer<PersistentVolumeClaim>;
  readonly volumes: Indexer<PersistentVolume>;
  readonly classes: Indexer<StorageClass>;
}

export interface PodClaim {
  readonly name: string;
  readonly key: string;
  /** Made for this Pod from a template in it. */
  readonly isEphemeral: boolean;
}

export function claimsOfPod({ metadata, spec }: ReadonlyPod): PodClaim[] {
  return (spec?.volumes ?? []).flatMap(volume => {
    const isEphemeral = volume.ephemeral !== undefined;
    const name =
      volume.persistentVolumeClaim?.claimName ?? (isEphemeral ? `${metadata.name ?? ''}-${volume.name}` : '');
    return name === '' ? [] : [{ name, key: `${metadata.namespace ?? ''}/${name}`, isEphemeral }];
  });
}

/** An ephemeral volume's claim that somebody else made is not the Pod's (component-helpers ephemeral.VolumeIsForPod). */
export function notForPod({ metadata }: ReadonlyPod, claim: ReadonlyClaim): string | undefined {
  const owner = claim.metadata.ownerReferences?.find(reference => reference.controller === true);
  return owner?.uid === metadata.uid
    ? undefined
    : `PVC ${claim.metadata.namespace ?? ''}/${claim.metadata.name ?? ''} was not created for pod ${metadata.namespace ?? ''}/${metadata.name ?? ''} (pod is not owner)`;
}

export const notFound = (kind: string, name: string): string => `${kind} "${name}" not found`;

/** What binding a Pod to a node would do to its claims. */
export interface VolumePlan {
  readonly bind: readonly { readonly claim: ReadonlyClaim; readonly volume: ReadonlyVolume }[];
  readonly provision: readonly ReadonlyClaim[];
}
