import { jsonEqual, semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import type { Objects, RequestContext } from '../../api/strategy.js';
import { uncovered, type PolicyRule } from '../auth/rbac/rules.js';
import type { SystemObject } from './system-objects.js';

const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

interface PolicyParts {
  readonly rules?: readonly PolicyRule[] | null;
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly unknown[] };
  readonly subjects?: readonly unknown[] | null;
  readonly roleRef?: unknown;
}
type Policy = DeepReadonly<KubeObject> & PolicyParts;

const list = <T>(items: readonly T[] | null | undefined): readonly T[] => items ?? [];

/** Items of `wanted` that are not among `held`. */
const missing = (held: readonly unknown[], wanted: readonly unknown[]): unknown[] =>
  wanted.filter(item => !held.some(known => semanticEqual(known, item)));

/** The fields of a stored role or binding that must change for it to give what a default one gives. */
function additions(stored: Policy, wanted: Policy): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  const found = uncovered(list(stored.rules), list(wanted.rules));
  // A role that somebody gave thousands of rules gets the default ones whole; next time they are there.
  const rules = found === 'too many' ? list(wanted.rules) : found;
  if (rules.length > 0) changes['rules'] = [...list(stored.rules), ...rules];
  const selectors = list(stored.aggregationRule?.clusterRoleSelectors);
  const more = missing(selectors, list(wanted.aggregationRule?.clusterRoleSelectors));
  if (more.length > 0) changes['aggregationRule'] = { clusterRoleSelectors: [...selectors, ...more] };
  if (wanted.roleRef === undefined && wanted.aggregationRule === undefined && stored.aggregationRule !== undefined)
    changes['aggregationRule'] = undefined;
  const subjects = missing(list(stored.subjects), list(wanted.subjects));
  if (subjects.length > 0) changes['subjects'] = [...list(stored.subjects), ...subjects];
  return changes;
}

/**
 * Gives a default role or binding back what was taken from it; what was added stays. Those whose annotation says
 * `autoupdate: "false"` are left alone, and a binding to another role is made anew (component-helpers
 * auth/rbac/reconciliation).
 */
export async function reconcilePolicy(objects: Objects, ctx: RequestContext, wanted: SystemObject): Promise<void> {
  const { resource, object } = wanted;
  const key = { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
  const stored: Policy | undefined = objects.get(resource, key);
  if (stored === undefined || stored.metadata.annotations?.[AUTO_UPDATE] === 'false') return;
  const policy = object as Policy;
  if (policy.roleRef !== undefined && !semanticEqual(policy.roleRef, stored.roleRef)) {
    await objects.delete(ctx, resource, key, { dryRun: false });
    await objects.create(ctx, resource, object);
    return;
  }
  const labels = { ...object.metadata.labels, ...stored.metadata.labels };
  const annotations = { ...object.metadata.annotations, ...stored.metadata.annotations };
  const changes = additions(stored, policy);
  const isMarked =
    jsonEqual(labels, stored.metadata.labels ?? {}) && jsonEqual(annotations, stored.metadata.annotations ?? {});
  if (isMarked && Object.keys(changes).length === 0) return;
  await objects.update(ctx, resource, key, draft => {
    Object.assign(draft.metadata, { labels, annotations });
    for (const [field, value] of Object.entries(changes))
      if (value === undefined) delete draft[field];
      else draft[field] = value;
  });
}
