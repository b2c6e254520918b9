import type { DeepReadonly, KubeObject } from '../types.js';
import type { QuotaEvaluator } from './evaluator.js';
import { claimEvaluator, countEvaluator, deviceClaimEvaluator, serviceEvaluator } from './objects.js';
import { podEvaluator } from './pods.js';
import { addLists, maskList, type ResourceList } from './resource-list.js';
import { scopeRequirements, type ScopedSpec } from './scopes.js';

type Item = DeepReadonly<KubeObject>;

/** Resources that no quota counts: what is not kept, and Events, which never were. */
const IGNORED: ReadonlySet<string> = new Set([
  'bindings',
  'componentstatuses',
  'tokenreviews.authentication.k8s.io',
  'selfsubjectreviews.authentication.k8s.io',
  'subjectaccessreviews.authorization.k8s.io',
  'selfsubjectaccessreviews.authorization.k8s.io',
  'localsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectrulesreviews.authorization.k8s.io',
  'events',
  'events.events.k8s.io',
]);

const SPECIAL: readonly QuotaEvaluator[] = [podEvaluator, serviceEvaluator, claimEvaluator, deviceClaimEvaluator];

/** The evaluator of a resource ("deployments.apps"); undefined: quotas do not count it. */
export function evaluatorOf(resource: string): QuotaEvaluator | undefined {
  if (IGNORED.has(resource)) return undefined;
  return SPECIAL.find(evaluator => evaluator.resource === resource) ?? countEvaluator(resource);
}

/** Whether a quota, by what it tracks and its scopes, counts an object. */
export const matchesQuota = (
  evaluator: QuotaEvaluator,
  spec: ScopedSpec | undefined,
  hard: ResourceList,
  item: Item,
): boolean =>
  evaluator.matchingResources(Object.keys(hard)).length > 0 &&
  scopeRequirements(spec).every(requirement => evaluator.matchesScope(item, requirement));

/**
 * What all objects of a namespace use of a quota (quota.CalculateUsage): every name of `spec.hard` that an evaluator
 * knows, zero included. `list` gives the objects of a resource in the quota's namespace.
 */
export function calculateUsage(
  spec: ScopedSpec & { readonly hard?: ResourceList },
  evaluators: Iterable<QuotaEvaluator>,
  list: (resource: string) => Iterable<Item>,
  nowMs: number,
): ResourceList {
  const names = Object.keys(spec.hard ?? {});
  const requirements = scopeRequirements(spec);
  const tracked = new Set<string>();
  let used: ResourceList = {};
  for (const evaluator of evaluators) {
    const matching = evaluator.matchingResources(names);
    if (matching.length === 0) continue;
    for (const name of matching) {
      tracked.add(name);
      used = { [name]: '0', ...used };
    }
    for (const item of list(evaluator.resource))
      if (requirements.every(requirement => evaluator.matchesScope(item, requirement)))
        used = addLists(used, evaluator.usage(item, nowMs));
  }
  return maskList(used, tracked);
}
