import { isDeepStrictEqual } from 'node:util';
import { forbiddenError, notFoundError, type GroupResource } from '../../../machinery/status.js';
import type { DeepReadonly, KubeObject } from '../../../machinery/types.js';
import type { UserInfo } from '../../../api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from '../../admission/types.js';
import { isPrivileged, type Authorizer } from '../authorizer.js';
import { aggregate, quote, quoteList } from '../quote.js';
import type { RoleRef, RuleResolver } from './rule-resolver.js';
import { compactRules, formatRule, uncovered, type PolicyRule } from './rules.js';

const GROUP = 'rbac.authorization.k8s.io';
const ROLE_RESOURCES = new Set(['roles', 'clusterroles']);
const BINDING_RESOURCES = new Set(['rolebindings', 'clusterrolebindings']);

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

const selectorsOf = (role: DeepReadonly<KubeObject> | undefined): readonly unknown[] =>
  (role?.['aggregationRule'] as { clusterRoleSelectors?: readonly unknown[] } | null | undefined)
    ?.clusterRoleSelectors ?? [];

/** Garbage collection and deletion must go on for roles that reach further than who runs them. */
function withoutGcFields(object: DeepReadonly<KubeObject>): unknown {
  const {
    ownerReferences: _o,
    finalizers: _f,
    managedFields: _m,
    selfLink: _s,
    resourceVersion: _r,
    ...metadata
  } = object.metadata;
  return { ...object, metadata };
}

/**
 * Nobody grants what they do not hold (kubernetes pkg/registry/rbac, the policybased storages). Members of
 * system:masters may, and those with the verb `escalate` on the role or `bind` on the role bound.
 */
export function rbacEscalationCheck(authorizer: Authorizer, resolver: RuleResolver): AdmissionPlugin {
  const may = (user: UserInfo, verb: string, resource: string, namespace: string, name: string): boolean =>
    authorizer.authorize({
      user,
      verb,
      isResource: true,
      group: GROUP,
      version: '*',
      resource,
      subresource: '',
      namespace,
      name,
      path: '',
    }).decision === 'allow';

  /** The complaint about what of `rules` the user does not hold; undefined: nothing. */
  const escalation = (user: UserInfo, namespace: string, rules: readonly PolicyRule[]): string | undefined => {
    const grants = [...resolver.grants(user, namespace)];
    const missing = uncovered(
      grants.flatMap(grant => grant.rules),
      rules,
    );
    const attempt = `user ${quote(user.name)} (groups=${quoteList(user.groups)}) is attempting to grant RBAC permissions`;
    if (missing === 'too many') return `${attempt} that are too many to be compared with those currently held`;
    if (missing.length === 0) return undefined;
    const texts = [...new Set(compactRules(missing).map(formatRule))].sort();
    // The authorizer's informers name the resource in the singular; here upstream asks the registry, which does not.
    const unresolved = grants.flatMap(({ missing: text }) =>
      text === undefined ? [] : [text.replace('role.', 'roles.')],
    );
    return (
      `${attempt} not currently held:\n` +
      texts.join('\n') +
      (unresolved.length === 0 ? '' : `; resolution errors: [${aggregate(unresolved)}]`)
    );
  };

  const checkRole = (
    user: UserInfo,
    request: AdmissionRequest,
    object: DeepReadonly<KubeObject>,
  ): string | undefined => {
    const { old, key } = request;
    const name = request.operation === 'CREATE' ? '' : key.name;
    if (may(user, 'escalate', request.resource.plural, key.namespace, name)) return undefined;
    const complaint = escalation(user, key.namespace, (object['rules'] as PolicyRule[] | null | undefined) ?? []);
    if (complaint !== undefined) return complaint;
    // An aggregated role gathers whatever others are given, so only those who hold everything may make one.
    const aggregates = [object, old].some(role => selectorsOf(role).length > 0);
    return aggregates && escalation(user, key.namespace, EVERYTHING) !== undefined
      ? 'must have cluster-admin privileges to use the aggregationRule'
      : undefined;
  };

  const checkBinding = (
    user: UserInfo,
    request: AdmissionRequest,
    object: DeepReadonly<KubeObject>,
  ): string | undefined => {
    const ref = object['roleRef'] as RoleRef | undefined;
    // A binding that names no kind of role is refused by validation, with a better text.
    if (ref === undefined || (ref.kind !== 'Role' && ref.kind !== 'ClusterRole')) return undefined;
    const { namespace } = request.key;
    const resource = ref.kind === 'Role' ? 'roles' : 'clusterroles';
    if (may(user, 'bind', resource, namespace, ref.name)) return undefined;
    const rules = resolver.rulesOf(ref, namespace);
    if (rules === undefined) throw notFoundError({ group: GROUP, resource }, ref.name);
    return escalation(user, namespace, rules);
  };

  return {
    name: 'RBACEscalation',
    admit(ctx, request) {
      const { resource, object, old } = request;
      if (resource.group !== GROUP || object === undefined || isPrivileged(ctx.user)) return;
      if (old !== undefined && isDeepStrictEqual(withoutGcFields(object), withoutGcFields(old))) return;
      const gr: GroupResource = { group: GROUP, resource: resource.plural };
      const complaint = ROLE_RESOURCES.has(resource.plural)
        ? checkRole(ctx.user, request, object)
        : BINDING_RESOURCES.has(resource.plural)
          ? checkBinding(ctx.user, request, object)
          : undefined;
      if (complaint !== undefined) throw forbiddenError(gr, object.metadata.name ?? request.key.name, complaint);
    },
  };
}
