import type { VolumePlan } from './claims.js';
import type { ClaimBinder } from '../claim-binder.js';
import { classOf, findVolumeFor, isUsableOn } from '../../persistentvolume/match.js';
import { BIND_COMPLETED } from '../../persistentvolume/bind.js';
import { NO_PROVISIONER, SELECTED_NODE } from '../../persistentvolume/provision.js';
import { compareQuantities, parseQuantity } from '../../../machinery/quantity.js';
import { unresolvable, type NodeInfo, type Plugin, type PodInfo } from '../plugin.js';
import {
  claimsOfPod,
  notForPod,
  notFound,
  type ReadonlyClaim,
  type ReadonlyVolume,
  type VolumeLists,
} from './claims.js';

interface State {
  readonly bound: readonly ReadonlyClaim[];
  readonly delayed: readonly ReadonlyClaim[];
  readonly plans: Map<string, VolumePlan>;
}

const isBound = (claim: ReadonlyClaim): boolean =>
  (claim.spec?.volumeName ?? '') !== '' && claim.metadata.annotations?.[BIND_COMPLETED] !== undefined;
const bySize = (a: ReadonlyClaim, b: ReadonlyClaim): number => {
  const size = ({ spec }: ReadonlyClaim) => parseQuantity(spec?.resources?.requests?.['storage'] ?? '0');
  return compareQuantities(size(a), size(b));
};

const hasWork = (plan: VolumePlan | undefined): plan is VolumePlan =>
  plan !== undefined && plan.bind.length + plan.provision.length > 0;

/** Claims that wait for their first Pod are bound with it, to a volume that its node can use. */
export function volumeBinding({ claims, volumes, classes }: VolumeLists, binder: ClaimBinder): Plugin<State> {
  const plan = (delayed: readonly ReadonlyClaim[], node: NodeInfo): VolumePlan | undefined => {
    const chosen = new Set<string>();
    const bind: { claim: ReadonlyClaim; volume: ReadonlyVolume }[] = [];
    const provision: ReadonlyClaim[] = [];
    for (const claim of [...delayed].sort(bySize)) {
      const selected = claim.metadata.annotations?.[SELECTED_NODE];
      if (selected !== undefined && selected !== node.name) return undefined;
      const taken = (volume: ReadonlyVolume): boolean =>
        chosen.has(volume.metadata.name ?? '') || binder.isTaken(volume, claim);
      const volume = selected === undefined ? findVolumeFor(claim, volumes.list(), node, taken) : undefined;
      if (volume !== undefined) {
        chosen.add(volume.metadata.name ?? '');
        bind.push({ claim, volume });
        continue;
      }
      const storageClass = classes.get(classOf(claim));
      if (storageClass === undefined || storageClass.provisioner === NO_PROVISIONER) return undefined;
      const { allowedTopologies = [] } = storageClass;
      const isAllowed = allowedTopologies.some(({ matchLabelExpressions = [] }) =>
        matchLabelExpressions.every(({ key, values }) => values.includes(node.labels[key] ?? '')),
      );
      if (allowedTopologies.length > 0 && !isAllowed) return undefined;
      provision.push(claim);
    }
    return { bind, provision };
  };
  const lookUp = ({ pod }: PodInfo): { reason: string } | { found: ReadonlyClaim[] } => {
    const found: ReadonlyClaim[] = [];
    for (const { name, key, isEphemeral } of claimsOfPod(pod)) {
      const claim = claims.get(key);
      if (claim === undefined)
        return {
          reason: isEphemeral
            ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
            : notFound('persistentvolumeclaim', name),
        };
      if (claim.status?.phase === 'Lost')
        return {
          reason: `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`,
        };
      if (claim.metadata.deletionTimestamp !== undefined)
        return { reason: `persistentvolumeclaim "${name}" is being deleted` };
      const foreign = isEphemeral ? notForPod(pod, claim) : undefined;
      if (foreign !== undefined) return { reason: foreign };
      found.push(claim);
    }
    return { found };
  };

  return {
    name: 'VolumeBinding',
    events: [
      'node/added',
      'node/labels',
      'claim/changed',
      'volume/changed',
      'storage-class/changed',
      'csi-node/changed',
    ],
    preFilter(pod) {
      const result = lookUp(pod);
      if ('reason' in result) return { rejection: unresolvable(result.reason) };
      const { found } = result;
      if (found.length === 0) return { skip: true };
      const unbound = found.filter(claim => !isBound(claim));
      const isDelayed = (claim: ReadonlyClaim): boolean =>
        (claim.spec?.volumeName ?? '') === '' &&
        classes.get(classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
      if (!unbound.every(isDelayed))
        return { rejection: unresolvable('pod has unbound immediate PersistentVolumeClaims') };
      return { state: { bound: found.filter(isBound), delayed: unbound, plans: new Map() } };
    },
    filter(state, _pod, node) {
      if (state === undefined) return undefined;
      const reasons: string[] = [];
      const missing = state.bound.some(claim => volumes.get(claim.spec?.volumeName ?? '') === undefined);
      const usable = state.bound.every(claim => {
        const volume = volumes.get(claim.spec?.volumeName ?? '');
        return volume === undefined || isUsableOn(volume, node.labels, node.name);
      });
      if (!usable) reasons.push("node(s) didn't match PersistentVolume's node affinity");
      const planned = plan(state.delayed, node);
      if (planned === undefined) reasons.push("node(s) didn't find available persistent volumes to bind");
      else state.plans.set(node.name, planned);
      if (missing && usable) reasons.push('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)');
      return reasons.length === 0 ? undefined : unresolvable(...reasons);
    },
    reserve(state, _pod, node) {
      const planned = state?.plans.get(node);
      if (planned !== undefined) binder.reserve(planned);
    },
    unreserve(state, _pod, node) {
      const planned = state?.plans.get(node);
      if (planned !== undefined) binder.release(planned);
    },
    delaysBinding: (state, node) => hasWork(state?.plans.get(node)),
    async preBind(state, pod, node, signal) {
      const planned = state?.plans.get(node);
      if (hasWork(planned)) await binder.carryOut(planned, pod, node, signal);
    },
  };
}
