import type { KubeObject } from '../../../machinery/types.js';
import type { PolicyRule } from '../rbac/rules.js';

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');
/** Upstream's builder keeps every list of a rule sorted. */
const sorted = (list: readonly string[]): string[] => [...list].sort();

/**
 * A rule in short: verbs, then "groups: resources", both separated by spaces, the group `core` being the unnamed one;
 * without a colon all resources are core ones. `rule('get list', 'core events.k8s.io: events')`.
 */
export function rule(verbs: string, what: string, ...resourceNames: string[]): PolicyRule {
  const colon = what.indexOf(':');
  const groups = colon < 0 ? 'core' : what.slice(0, colon);
  return {
    verbs: sorted(words(verbs)),
    apiGroups: sorted(words(groups).map(group => (group === 'core' ? '' : group))),
    resources: sorted(words(what.slice(colon + 1))),
    ...(resourceNames.length === 0 ? {} : { resourceNames: sorted(resourceNames) }),
  };
}

export const urls = (verbs: string, paths: string): PolicyRule => ({
  verbs: sorted(words(verbs)),
  nonResourceURLs: sorted(words(paths)),
});

export const READ = 'get list watch';
export const WRITE = 'create update patch delete deletecollection';
export const EVENTS = rule('create update patch', 'core events.k8s.io: events');

const API_GROUP = 'rbac.authorization.k8s.io';
const API_VERSION = `${API_GROUP}/v1`;

const metadata = (name: string, labels: Record<string, string> = {}, namespace?: string): KubeObject['metadata'] => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
});

export const aggregateLabel = (to: string): string => `rbac.authorization.k8s.io/aggregate-to-${to}`;

export const clusterRole = (
  name: string,
  rules: readonly PolicyRule[],
  labels?: Record<string, string>,
): KubeObject => ({
  apiVersion: API_VERSION,
  kind: 'ClusterRole',
  metadata: metadata(name, labels),
  rules,
});

/** A ClusterRole that the aggregation controller fills with the rules of every role labelled for it. */
export const aggregatedRole = (name: string, from: string, labels?: Record<string, string>): KubeObject => ({
  apiVersion: API_VERSION,
  kind: 'ClusterRole',
  metadata: metadata(name, labels),
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateLabel(from)]: 'true' } }] },
  rules: null,
});

export const role = (namespace: string, name: string, rules: readonly PolicyRule[]): KubeObject => ({
  apiVersion: API_VERSION,
  kind: 'Role',
  metadata: metadata(name, {}, namespace),
  rules,
});

/** "user:x", "group:x" or "sa:namespace/name". */
export type SubjectText = `user:${string}` | `group:${string}` | `sa:${string}/${string}`;

function subject(text: SubjectText): Record<string, string> {
  const colon = text.indexOf(':');
  const kind = text.slice(0, colon);
  const rest = text.slice(colon + 1);
  if (kind === 'sa') {
    const [namespace = '', name = ''] = rest.split('/');
    return { kind: 'ServiceAccount', name, namespace };
  }
  return { kind: kind === 'user' ? 'User' : 'Group', apiGroup: API_GROUP, name: rest };
}

const binding = (roleKind: string, roleName: string, subjects: readonly SubjectText[]): Record<string, unknown> => ({
  ...(subjects.length === 0 ? {} : { subjects: subjects.map(subject) }),
  roleRef: { apiGroup: API_GROUP, kind: roleKind, name: roleName },
});

export const clusterBinding = (roleName: string, subjects: readonly SubjectText[], name = roleName): KubeObject => ({
  apiVersion: API_VERSION,
  kind: 'ClusterRoleBinding',
  metadata: metadata(name),
  ...binding('ClusterRole', roleName, subjects),
});

export const roleBinding = (
  namespace: string,
  roleName: string,
  subjects: readonly SubjectText[],
  name = roleName,
): KubeObject => ({
  apiVersion: API_VERSION,
  kind: 'RoleBinding',
  metadata: metadata(name, {}, namespace),
  ...binding('Role', roleName, subjects),
});
