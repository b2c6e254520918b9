import type * as k8s from '@kubernetes/client-node';
import type { DeepReadonly, Wire } from '../../../machinery/types.js';
import type { Attributes } from './attributes.js';

/** A rule of a webhook, or of a policy, which may name objects. */
export type Rule = DeepReadonly<Wire<k8s.V1NamedRuleWithOperations>>;

type Asked = Pick<Attributes, 'operation' | 'resource' | 'subresource' | 'namespace' | 'name'>;

const includes = (items: readonly string[] | undefined, asked: string): boolean =>
  items?.some(item => item === '*' || item === asked) === true;

/** Namespaces are cluster-scoped, though a request for one says that it is in it. */
const isNamespace = ({ resource }: Asked): boolean =>
  resource.group === '' && resource.version === 'v1' && resource.resource === 'namespaces';

function matchesScope({ scope = '*' }: Rule, asked: Asked): boolean {
  const cluster = isNamespace(asked) || asked.namespace === '';
  return scope === '*' || (scope === 'Cluster' ? cluster : scope === 'Namespaced' && !cluster);
}

/** "pods", "pods/status", "pods/*", "*\/scale", "*", "*\/*". */
function matchesResource(patterns: readonly string[] | undefined, { resource, subresource }: Asked): boolean {
  return (
    patterns?.some(pattern => {
      const slash = pattern.indexOf('/');
      const whole = slash < 0 ? pattern : pattern.slice(0, slash);
      const part = slash < 0 ? '' : pattern.slice(slash + 1);
      return (whole === '*' || whole === resource.resource) && (part === '*' || part === subresource);
    }) === true
  );
}

/** Whether a rule is about a request (apiserver pkg/admission/plugin/webhook/predicates/rules). */
export function matchesRule(rule: Rule, asked: Asked): boolean {
  const { resourceNames } = rule;
  return (
    matchesScope(rule, asked) &&
    includes(rule.operations, asked.operation) &&
    includes(rule.apiGroups, asked.resource.group) &&
    includes(rule.apiVersions, asked.resource.version) &&
    matchesResource(rule.resources, asked) &&
    (resourceNames === undefined || resourceNames.length === 0 || resourceNames.includes(asked.name))
  );
}
