import type { ResourceClient } from '../../client/types.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { PersistentVolume, PersistentVolumeClaim } from '../../machinery/types.js';
import { isReservedFor, type ReadonlyClaim, type ReadonlyVolume } from './match.js';

export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';

type ClaimStatus = NonNullable<PersistentVolumeClaim['status']>;
type VolumePhase = 'Available' | 'Bound' | 'Released' | 'Failed';

export interface VolumeWriters {
  readonly volumes: ResourceClient<PersistentVolume>;
  readonly claims: ResourceClient<PersistentVolumeClaim>;
}

/** Writes of pv_controller.go: each only when something changes, each on the object as the write before left it. */
export function createBinder({ volumes, claims }: VolumeWriters) {
  const setVolumePhase = async (volume: ReadonlyVolume, phase: VolumePhase, message = ''): Promise<ReadonlyVolume> => {
    if (volume.status?.phase === phase && (volume.status.message ?? '') === message) return volume;
    const status = { ...(volume as PersistentVolume).status, phase, message };
    return volumes.update({ ...(volume as PersistentVolume), status }, { subresource: 'status' });
  };

  const setClaimPhase = async (
    claim: ReadonlyClaim,
    phase: 'Pending' | 'Bound' | 'Lost',
    volume?: ReadonlyVolume,
  ): Promise<boolean> => {
    const { accessModes: _modes, capacity: before, ...rest } = { ...claim.status } as ClaimStatus;
    const status: ClaimStatus = { ...rest, phase };
    if (volume !== undefined) {
      status.accessModes = [...(volume.spec?.accessModes ?? [])];
      // An expanded claim tells its own size while it stays bound.
      const capacity =
        claim.status?.phase === 'Bound' && before?.['storage'] !== undefined ? before : volume.spec?.capacity;
      if (capacity !== undefined) status.capacity = { ...capacity };
    }
    if (semanticEqual(status, claim.status)) return false;
    await claims.update({ ...(claim as PersistentVolumeClaim), status }, { subresource: 'status' });
    return true;
  };

  const reserve = async (volume: ReadonlyVolume, claim: ReadonlyClaim): Promise<ReadonlyVolume> => {
    const wasReserved = isReservedFor(volume, claim);
    if (wasReserved && volume.spec?.claimRef?.uid === claim.metadata.uid) return volume;
    const { namespace = '', name = '', uid = '', resourceVersion = '' } = claim.metadata;
    const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion };
    // What the user reserved stays reserved when the claim goes.
    const annotations = wasReserved
      ? volume.metadata.annotations
      : { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' };
    return volumes.update({
      ...(volume as PersistentVolume),
      metadata: { ...(volume as PersistentVolume).metadata, ...(annotations === undefined ? {} : { annotations }) },
      spec: { ...(volume as PersistentVolume).spec, claimRef },
    });
  };

  const point = async (claim: ReadonlyClaim, volume: ReadonlyVolume): Promise<ReadonlyClaim> => {
    const volumeName = volume.metadata.name ?? '';
    const chosen = claim.spec?.volumeName === volumeName;
    const completed = claim.metadata.annotations?.[BIND_COMPLETED] !== undefined;
    if (chosen && completed) return claim;
    const annotations = {
      ...claim.metadata.annotations,
      ...(chosen ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }),
      [BIND_COMPLETED]: 'yes',
    };
    return claims.update({
      ...(claim as PersistentVolumeClaim),
      metadata: { ...(claim as PersistentVolumeClaim).metadata, annotations },
      spec: { ...(claim as PersistentVolumeClaim).spec, volumeName },
    });
  };

  return {
    reserve,
    setVolumePhase,
    setClaimPhase,
    /** Volume to claim, then claim to volume: a crash in between leaves what the next sync completes. */
    async bind(volume: ReadonlyVolume, claim: ReadonlyClaim): Promise<void> {
      const bound = await setVolumePhase(await reserve(volume, claim), 'Bound');
      await setClaimPhase(await point(claim, bound), 'Bound', bound);
    },
    /** The volume is free again, or reserved by name where the user had it so. */
    async unbind(volume: ReadonlyVolume): Promise<void> {
      const { [BOUND_BY_CONTROLLER]: ours, ...annotations } = volume.metadata.annotations ?? {};
      const { claimRef, ...spec } = (volume as PersistentVolume).spec ?? {};
      const { uid: _uid, resourceVersion: _version, ...reserved } = claimRef ?? {};
      const updated = await volumes.update({
        ...(volume as PersistentVolume),
        metadata: { ...(volume as PersistentVolume).metadata, annotations },
        spec: ours === undefined ? { ...spec, claimRef: reserved } : spec,
      });
      await setVolumePhase(updated, 'Available');
    },
  };
}
