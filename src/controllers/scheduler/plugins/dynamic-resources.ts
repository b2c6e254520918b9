import type { Indexer } from '../../../client/types.js';
import { termMatches, type NodeSelectorTerm } from '../../../machinery/scheduling/node-affinity.js';
import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';
import { controllerOf } from '../../ownership.js';
import { unresolvable, type Plugin, type ReadonlyPod } from '../plugin.js';

interface ResourceClaim extends KubeObject {
  spec?: { devices?: { requests?: { name: string; exactly?: { deviceClassName?: string } }[] } };
  status?: {
    allocation?: { nodeSelector?: { nodeSelectorTerms?: NodeSelectorTerm[] } };
    reservedFor?: { uid: string }[];
  };
}
type ReadonlyResourceClaim = DeepReadonly<ResourceClaim>;

/** As many Pods can use a claim together. */
const MAX_RESERVED = 256;

/**
 * Device claims of Pods: one that is missing keeps its Pod out of the queue, one that is allocated decides where the Pod
 * can be. Nothing allocates devices here: a claim without an allocation fits no node.
 */
export function dynamicResources(
  claims: Indexer<KubeObject>,
  deviceClasses: Indexer<KubeObject>,
): Plugin<readonly ReadonlyResourceClaim[]> {
  const lookUp = (pod: ReadonlyPod): { reason: string } | { found: ReadonlyResourceClaim[] } => {
    const found: ReadonlyResourceClaim[] = [];
    const { namespace = '', name: podName = '', uid } = pod.metadata;
    for (const { name, resourceClaimName, resourceClaimTemplateName } of pod.spec?.resourceClaims ?? []) {
      const status = pod.status?.resourceClaimStatuses?.find(entry => entry.name === name);
      if (resourceClaimTemplateName !== undefined && status === undefined)
        return {
          reason: `pod "${namespace}/${podName}": claim "${name}" not created yet: pod resource claim not created yet`,
        };
      const claimName = resourceClaimName ?? status?.resourceClaimName;
      // The template's maker decided that none is needed.
      if (claimName === undefined) continue;
      const claim: ReadonlyResourceClaim | undefined = claims.get(`${namespace}/${claimName}`);
      if (claim === undefined) return { reason: `resourceclaim.resource.k8s.io "${claimName}" not found` };
      if (claim.metadata.deletionTimestamp !== undefined)
        return { reason: `resourceclaim "${claimName}" is being deleted` };
      if (resourceClaimName === undefined && controllerOf(claim)?.uid !== uid)
        return {
          reason: `ResourceClaim ${namespace}/${claimName} was not created for pod ${namespace}/${podName} (pod is not owner)`,
        };
      found.push(claim);
    }
    return { found };
  };
  return {
    name: 'DynamicResources',
    events: ['resource-claim/changed', 'self/changed', 'node/added', 'node/labels'],
    preEnqueue(pod) {
      const result = lookUp(pod);
      return 'reason' in result ? result.reason : undefined;
    },
    preFilter({ pod }) {
      const result = lookUp(pod);
      if ('reason' in result) return { rejection: unresolvable(result.reason) };
      if (result.found.length === 0) return { skip: true };
      for (const { spec, status } of result.found) {
        const users = status?.reservedFor ?? [];
        const isOurs = users.some(user => user.uid === pod.metadata.uid);
        if (status?.allocation !== undefined && users.length >= MAX_RESERVED && !isOurs)
          return { rejection: unresolvable('resourceclaim in use') };
        for (const { name, exactly } of status?.allocation === undefined ? (spec?.devices?.requests ?? []) : []) {
          const className = exactly?.deviceClassName ?? '';
          if (className !== '' && deviceClasses.get(className) === undefined)
            return {
              rejection: unresolvable(`request ${name}: device class ${className} does not exist`),
            };
        }
      }
      return { state: result.found };
    },
    postFilter(state, reached) {
      // Upstream looks for what its preFilter left, which another plugin's rejection kept from running.
      if (!reached) throw new Error('not found');
      return state === undefined ? 'no new claims to deallocate' : 'still not schedulable';
    },
    filter(state, _pod, node) {
      for (const { status } of state ?? []) {
        if (status?.allocation === undefined) return unresolvable('cannot allocate all claims');
        const terms = status.allocation.nodeSelector?.nodeSelectorTerms;
        if (terms !== undefined && !terms.some(term => termMatches(term, node.labels, node.name)))
          return unresolvable('resourceclaim not available on the node');
      }
      return undefined;
    },
  };
}
