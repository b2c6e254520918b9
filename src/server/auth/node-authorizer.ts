import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { UserInfo } from '../../api/strategy.js';
import {
  ALLOW,
  NO_OPINION,
  NO_RULES,
  noOpinion,
  type Attributes,
  type Authorizer,
  type Decision,
} from './authorizer.js';
import type { Lookup } from './lookup.js';
import {
  claimsOf,
  configMapsOf,
  resourceClaimsOf,
  secretsOf,
  serviceAccountOf,
  volumeSecretsOf,
} from './node-references.js';
import { quote } from './quote.js';
import { ruleAllows, type PolicyRule } from './rbac/rules.js';

const NODE_USER_PREFIX = 'system:node:';
const NODES_GROUP = 'system:nodes';
export const NODE_LEASES = 'kube-node-lease';

/** The name of the node that a user is, which may be ''; undefined: the user is not a node. */
export function nodeOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(NODE_USER_PREFIX) || !user.groups.includes(NODES_GROUP)) return undefined;
  return user.name.slice(NODE_USER_PREFIX.length);
}

const READ = new Set(['get', 'list', 'watch']);
const WRITE = new Set(['create', 'update', 'patch']);
const SELECTING = new Set(['list', 'watch', 'deletecollection']);
const OWN_OBJECT = new Set(['get', 'create', 'update', 'patch', 'delete']);

/** Whether only objects whose spec.nodeName is the node's name are asked for. */
const selectsNode = ({ fields = [] }: Attributes, node: string): boolean =>
  fields.some(({ field, operator, value }) => field === 'spec.nodeName' && operator === '=' && value === node);

/**
 * `--authorization-mode=Node`: a node reads what its Pods need, and writes its own Node, Lease and Pod statuses
 * (kubernetes plugin/pkg/auth/authorizer/node). What it may do with everything else stands in `rules`, the rules of
 * the ClusterRole system:node.
 */
export function createNodeAuthorizer(lookup: Lookup, rules: readonly PolicyRule[]): Authorizer {
  const unrelated = (node: string): Decision =>
    noOpinion(`no relationship found between node '${node}' and this object`);

  function* podsOf(node: string, namespace: string): Generator<DeepReadonly<KubeObject>> {
    for (const pod of lookup.list('pods', namespace)) {
      if ((pod['spec'] as { nodeName?: string } | undefined)?.nodeName !== node) continue;
      // A mirror Pod's writer is the node itself, so that it must not open doors.
      if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] === undefined) yield pod;
    }
  }

  const usedByPod = (
    node: string,
    namespace: string,
    name: string,
    namesOf: (pod: DeepReadonly<KubeObject>) => Iterable<string>,
  ): boolean => {
    for (const pod of podsOf(node, namespace)) for (const used of namesOf(pod)) if (used === name) return true;
    return false;
  };

  const claimUsed = (node: string, volume: DeepReadonly<KubeObject> | undefined): boolean => {
    const claim = (volume?.['spec'] as { claimRef?: { namespace?: string; name?: string } } | undefined)?.claimRef;
    return claim?.name !== undefined && usedByPod(node, claim.namespace ?? '', claim.name, claimsOf);
  };

  const usedByVolume = (node: string, namespace: string, secret: string): boolean => {
    for (const volume of lookup.list('persistentvolumes'))
      if (volumeSecretsOf(volume).some(ref => ref.namespace === namespace && ref.name === secret))
        if (claimUsed(node, volume)) return true;
    return false;
  };

  const related = (node: string, a: Attributes): boolean => {
    const key = { namespace: a.namespace, name: a.name };
    switch (a.resource) {
      case 'secrets':
        return usedByPod(node, a.namespace, a.name, secretsOf) || usedByVolume(node, a.namespace, a.name);
      case 'configmaps':
        return usedByPod(node, a.namespace, a.name, configMapsOf);
      case 'persistentvolumeclaims':
        return usedByPod(node, a.namespace, a.name, claimsOf);
      case 'serviceaccounts':
        return usedByPod(node, a.namespace, a.name, serviceAccountOf);
      case 'persistentvolumes':
        return claimUsed(node, lookup.get('persistentvolumes', key));
      case 'resourceclaims':
        return usedByPod(node, a.namespace, a.name, resourceClaimsOf);
      case 'pods':
        return (lookup.get('pods', key)?.['spec'] as { nodeName?: string } | undefined)?.nodeName === node;
      case 'volumeattachments':
      case 'resourceslices': {
        const object = lookup.get(`${a.resource}.${a.group}`, key);
        return (object?.['spec'] as { nodeName?: string } | undefined)?.nodeName === node;
      }
      default:
        return false;
    }
  };

  const relation = (node: string, a: Attributes): Decision => {
    if (a.name === '') return noOpinion('No Object name found');
    return related(node, a) ? ALLOW : unrelated(node);
  };

  const get = (node: string, a: Attributes): Decision => {
    if (a.verb !== 'get') return noOpinion('can only get individual resources of this type');
    if (a.subresource !== '') return noOpinion('cannot get subresource');
    return relation(node, a);
  };

  const readNamespaced = (node: string, a: Attributes): Decision => {
    if (!READ.has(a.verb)) return noOpinion('can only read resources of this type');
    if (a.subresource !== '') return noOpinion('cannot read subresource');
    if (a.namespace === '') return noOpinion('can only read namespaced object of this type');
    return relation(node, a);
  };

  const claim = (node: string, a: Attributes): Decision => {
    if (a.subresource !== 'status') return get(node, a);
    if (a.verb !== 'update' && a.verb !== 'patch') return noOpinion('can only get/update/patch this type');
    return relation(node, a);
  };

  const serviceAccount = (node: string, a: Attributes): Decision => {
    if (a.verb === 'get' && a.subresource === '') return readNamespaced(node, a);
    if (a.verb !== 'create' || a.name === '')
      return noOpinion('can only create tokens for individual service accounts');
    if (a.subresource !== 'token') return noOpinion('can only create token subresource of serviceaccount');
    return related(node, a) ? ALLOW : unrelated(node);
  };

  const lease = (node: string, a: Attributes): Decision => {
    if (!OWN_OBJECT.has(a.verb)) return noOpinion('can only get, create, update, patch, or delete a node lease');
    if (a.namespace !== NODE_LEASES)
      return noOpinion(`can only access leases in the ${quote(NODE_LEASES)} system namespace`);
    // The name is not known on create; NodeRestriction checks it there.
    if (a.verb !== 'create' && a.name !== node)
      return noOpinion('can only access node lease with the same name as the requesting node');
    return ALLOW;
  };

  const csiNode = (node: string, a: Attributes): Decision => {
    if (!OWN_OBJECT.has(a.verb)) return noOpinion('can only get, create, update, patch, or delete a CSINode');
    if (a.subresource !== '') return noOpinion('cannot authorize CSINode subresources');
    if (a.verb !== 'create' && a.name !== node)
      return noOpinion('can only access CSINode with the same name as the requesting node');
    return ALLOW;
  };

  const resourceSlice = (node: string, a: Attributes): Decision => {
    if (a.subresource !== '') return noOpinion('cannot authorize ResourceSlice subresources');
    // NodeRestriction looks at what is in a new one.
    if (a.verb === 'create') return ALLOW;
    if (OWN_OBJECT.has(a.verb)) return relation(node, a);
    if (!SELECTING.has(a.verb))
      return noOpinion(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      );
    if (selectsNode(a, node)) return ALLOW;
    return noOpinion('can only list/watch/deletecollection resourceslices with nodeName field selector');
  };

  const nodes = (node: string, a: Attributes): Decision => {
    if (a.subresource === 'status') return a.verb === 'update' || a.verb === 'patch' ? ALLOW : NO_OPINION;
    if (a.subresource !== '') return NO_OPINION;
    if (WRITE.has(a.verb)) return ALLOW;
    if (!READ.has(a.verb)) return NO_OPINION;
    if (a.name === node) return ALLOW;
    return noOpinion(
      a.name === ''
        ? `node '${node}' cannot read all nodes, only its own Node object`
        : `node '${node}' cannot read '${a.name}', only its own Node object`,
    );
  };

  const pods = (node: string, a: Attributes): Decision => {
    if (a.subresource === 'status') return a.verb === 'update' || a.verb === 'patch' ? ALLOW : NO_OPINION;
    if (a.subresource === 'eviction') return a.verb === 'create' ? ALLOW : NO_OPINION;
    if (a.subresource !== '') return NO_OPINION;
    if (a.verb === 'get') return get(node, a);
    if (a.verb === 'create' || a.verb === 'delete') return ALLOW;
    if (a.verb !== 'list' && a.verb !== 'watch') return NO_OPINION;
    if (selectsNode(a, node)) return ALLOW;
    if (a.name !== '') return relation(node, a);
    return noOpinion('can only list/watch pods with spec.nodeName field selector');
  };

  const special: Readonly<Record<string, (node: string, a: Attributes) => Decision>> = {
    secrets: readNamespaced,
    configmaps: readNamespaced,
    persistentvolumeclaims: claim,
    persistentvolumes: get,
    'volumeattachments.storage.k8s.io': get,
    serviceaccounts: serviceAccount,
    'resourceclaims.resource.k8s.io': get,
    'resourceslices.resource.k8s.io': resourceSlice,
    // Its feature is off in 1.35 (PodCertificateRequest).
    'podcertificaterequests.certificates.k8s.io': () => NO_OPINION,
    'leases.coordination.k8s.io': lease,
    'csinodes.storage.k8s.io': csiNode,
    nodes,
    pods,
  };

  return {
    authorize(a) {
      const node = nodeOf(a.user);
      if (node === undefined) return NO_OPINION;
      if (node === '') return noOpinion(`unknown node for user ${quote(a.user.name)}`);
      const decide = a.isResource ? special[a.group === '' ? a.resource : `${a.resource}.${a.group}`] : undefined;
      if (decide !== undefined) return decide(node, a);
      return rules.some(rule => ruleAllows(rule, a)) ? ALLOW : NO_OPINION;
    },
    rulesFor: user =>
      nodeOf(user) === undefined
        ? NO_RULES
        : { ...NO_RULES, incomplete: true, errors: ['node authorizer does not support user rule resolution'] },
  };
}
