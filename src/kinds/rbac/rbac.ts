import {
  errorList,
  invalid,
  notSupported,
  path,
  required,
  type FieldError,
  type FieldPath,
} from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject, LabelSelector } from '../../machinery/types.js';
import { isDns1123Subdomain, nameIsPathSegment } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import { checkSelector, list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { ageCell, nameCell } from '../cells.js';
import type { PolicyRule } from '../deps.js';

const GROUP = 'rbac.authorization.k8s.io';

interface Role extends KubeObject {
  rules?: PolicyRule[] | null;
}
interface ClusterRole extends Role {
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] };
}
interface Subject {
  kind: string;
  apiGroup?: string;
  name: string;
  namespace?: string;
}
interface Binding extends KubeObject {
  subjects?: Subject[];
  roleRef: { apiGroup: string; kind: string; name: string };
}

/** Names of roles and bindings may be anything that fits into a URL path, "system:node" for one. */
const again = (out: FieldError[], object: DeepReadonly<KubeObject>, namespaced: boolean): void =>
  checkMetadataAgain(out, object, { namespaced, name: nameIsPathSegment });

function checkRule(out: FieldError[], at: FieldPath, rule: DeepReadonly<PolicyRule>, namespaced: boolean): void {
  const some = (names: readonly string[] | undefined): boolean => list(names).length > 0;
  if (!some(rule.verbs)) out.push(required(at.child('verbs'), 'verbs must contain at least one value'));
  if (some(rule.nonResourceURLs)) {
    const urls = at.child('nonResourceURLs');
    if (namespaced) out.push(invalid(urls, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (some(rule.apiGroups) || some(rule.resources) || some(rule.resourceNames)) {
      const text = 'rules cannot apply to both regular resources and non-resource URLs';
      out.push(invalid(urls, rule.nonResourceURLs, text));
    }
    return;
  }
  if (!some(rule.apiGroups))
    out.push(required(at.child('apiGroups'), 'resource rules must supply at least one api group'));
  if (!some(rule.resources))
    out.push(required(at.child('resources'), 'resource rules must supply at least one resource'));
}

function checkRules(role: DeepReadonly<Role>, namespaced: boolean): FieldError[] {
  const out = errorList();
  list(role.rules).forEach((rule, i) => checkRule(out, path('rules').index(i), rule, namespaced));
  return out;
}

function checkClusterRole(role: DeepReadonly<ClusterRole>): FieldError[] {
  const out = checkRules(role, false);
  if (role.aggregationRule === undefined) return out;
  const at = path('aggregationRule', 'clusterRoleSelectors');
  const selectors = list(role.aggregationRule.clusterRoleSelectors);
  if (selectors.length === 0)
    out.push(required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  selectors.forEach((selector, i) => {
    const before = out.length;
    checkSelector(out, at.index(i), selector);
    // Upstream goes on to use it, and shows what that gave.
    if (out.length > before) out.push(invalid(at.index(i), null, 'invalid label selector.'));
  });
  return out;
}

export const roleStrategy: Strategy<Role> = {
  validate: (_ctx, role) => checkRules(role, true),
  validateUpdate(_ctx, role) {
    const out = checkRules(role, true);
    again(out, role, true);
    return out;
  },
};

export const clusterRoleStrategy: Strategy<ClusterRole> = {
  validate: (_ctx, role) => checkClusterRole(role),
  validateUpdate(_ctx, role) {
    const out = checkClusterRole(role);
    again(out, role, false);
    return out;
  },
};

function checkSubject(out: FieldError[], at: FieldPath, subject: DeepReadonly<Subject>, namespaced: boolean): void {
  const { kind, name, apiGroup = '', namespace = '' } = subject;
  if (!name) out.push(required(at.child('name')));
  switch (kind) {
    case 'ServiceAccount':
      if (name) for (const text of isDns1123Subdomain(name)) out.push(invalid(at.child('name'), name, text));
      if (apiGroup !== '') out.push(notSupported(at.child('apiGroup'), apiGroup, ['']));
      if (!namespaced && namespace === '') out.push(required(at.child('namespace')));
      return;
    case 'User':
    case 'Group':
      if (apiGroup !== GROUP) out.push(notSupported(at.child('apiGroup'), apiGroup, [GROUP]));
      return;
    default:
      out.push(notSupported(at.child('kind'), kind, ['ServiceAccount', 'User', 'Group']));
  }
}

function checkBinding(binding: DeepReadonly<Binding>, namespaced: boolean): FieldError[] {
  const out = errorList();
  const at = path('roleRef');
  const { apiGroup, kind, name } = binding.roleRef;
  if (apiGroup !== GROUP) out.push(notSupported(at.child('apiGroup'), apiGroup, [GROUP]));
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(kind)) out.push(notSupported(at.child('kind'), kind, kinds));
  if (name === '') out.push(required(at.child('name')));
  else for (const text of nameIsPathSegment(name, false)) out.push(invalid(at.child('name'), name, text));
  list(binding.subjects).forEach((subject, i) => checkSubject(out, path('subjects').index(i), subject, namespaced));
  return out;
}

/** Users, groups and service accounts, each joined. */
function subjectCells(subjects: DeepReadonly<Subject[]>): string[] {
  const texts = (kind: string, text: (subject: DeepReadonly<Subject>) => string): string =>
    subjects
      .filter(subject => subject.kind === kind)
      .map(text)
      .join(', ');
  return [
    texts('User', ({ name }) => name),
    texts('Group', ({ name }) => name),
    texts('ServiceAccount', ({ name, namespace = '' }) => `${namespace}/${name}`),
  ];
}

const bindingStrategy = (namespaced: boolean): Strategy<Binding> => ({
  default(binding) {
    // The reference is always written, so that it is here even when nobody gave it.
    binding.roleRef.apiGroup ||= GROUP;
    for (const subject of list(binding.subjects))
      if (!subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = GROUP;
  },
  validate: (_ctx, binding) => checkBinding(binding, namespaced),
  validateUpdate(_ctx, binding, old) {
    const out = checkBinding(binding, namespaced);
    again(out, binding, namespaced);
    if (!semanticEqual(binding.roleRef, old.roleRef))
      out.push(invalid(path('roleRef'), goForm('RoleRef', binding.roleRef), 'cannot change roleRef'));
    return out;
  },
  cells: (binding, nowMs) => ({
    cells: [
      nameCell(binding),
      `${binding.roleRef.kind}/${binding.roleRef.name}`,
      ageCell(binding, nowMs),
      ...subjectCells(list(binding.subjects)),
    ],
  }),
});

export const roleBindingStrategy = bindingStrategy(true);
export const clusterRoleBindingStrategy = bindingStrategy(false);
