import type { DeepReadonly, PodSpec } from '../../../machinery/types.js';
import type { Snapshot } from '../cache.js';
import { unresolvable, unschedulable, type Plugin } from '../plugin.js';
import { claimsOfPod, notFound, type VolumeLists } from './claims.js';

type Volume = NonNullable<DeepReadonly<PodSpec>['volumes']>[number];

interface State {
  readonly claims: ReadonlySet<string>;
  users: number;
}

const isDisk = (volume: Volume): boolean =>
  volume.gcePersistentDisk !== undefined ||
  volume.awsElasticBlockStore !== undefined ||
  volume.iscsi !== undefined ||
  volume.rbd !== undefined;

/** The same disk twice, which is allowed for reading at most. */
function conflict(a: Volume, b: Volume): boolean {
  const writes = (x: { readOnly?: boolean }, y: { readOnly?: boolean }): boolean =>
    x.readOnly !== true || y.readOnly !== true;
  const { gcePersistentDisk: gce, awsElasticBlockStore: aws, iscsi, rbd } = a;
  if (gce?.pdName !== undefined && gce.pdName === b.gcePersistentDisk?.pdName && writes(gce, b.gcePersistentDisk))
    return true;
  if (aws?.volumeID !== undefined && aws.volumeID === b.awsElasticBlockStore?.volumeID) return true;
  if (iscsi?.iqn !== undefined && iscsi.iqn === b.iscsi?.iqn && writes(iscsi, b.iscsi)) return true;
  if (rbd === undefined || b.rbd === undefined || rbd.image !== b.rbd.image || rbd.pool !== b.rbd.pool) return false;
  const monitors = new Set(rbd.monitors);
  return b.rbd.monitors.some(monitor => monitors.has(monitor)) && writes(rbd, b.rbd);
}

/** Disks that one node can mount once, and claims that one Pod may use. */
export function volumeRestrictions(snapshot: Snapshot, { claims }: VolumeLists): Plugin<State> {
  const usesOf = (state: State, pod: Parameters<typeof claimsOfPod>[0]): number =>
    claimsOfPod(pod).filter(claim => state.claims.has(claim.key)).length;
  return {
    name: 'VolumeRestrictions',
    events: ['pod/deleted', 'node/added', 'claim/changed'],
    preFilter({ pod }) {
      const exclusive = new Set<string>();
      for (const { name, key, isEphemeral } of claimsOfPod(pod)) {
        if (isEphemeral) continue;
        const claim = claims.get(key);
        if (claim === undefined) return { rejection: unresolvable(notFound('persistentvolumeclaim', name)) };
        if (claim.spec?.accessModes?.includes('ReadWriteOncePod') === true) exclusive.add(key);
      }
      let users = 0;
      for (const key of exclusive) {
        const uses = (node: ReturnType<Snapshot['nodes']>[number]): boolean =>
          node.count(`claim ${key}`, other => claimsOfPod(other.pod).some(claim => claim.key === key)) > 0;
        if (snapshot.nodes().some(uses)) users++;
      }
      const hasDisks = (pod.spec?.volumes ?? []).some(isDisk);
      return users === 0 && !hasDisks ? { skip: true } : { state: { claims: exclusive, users } };
    },
    clone: state => ({ ...state }),
    addPod: (state, _pod, other) => void (state.users += usesOf(state, other.pod)),
    removePod: (state, _pod, other) => void (state.users -= usesOf(state, other.pod)),
    filter(state, { pod }, node) {
      const disks = (pod.spec?.volumes ?? []).filter(isDisk);
      if (disks.length > 0)
        for (const other of node.pods.values())
          for (const volume of other.pod.spec?.volumes ?? [])
            if (isDisk(volume) && disks.some(disk => conflict(disk, volume)))
              return unschedulable('node(s) had no available disk');
      return (state?.users ?? 0) > 0
        ? unschedulable(
            'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
          )
        : undefined;
    },
  };
}
