import type { Selector } from '../../../machinery/labels.js';
import { notFoundError } from '../../../machinery/status.js';
import type { DeepReadonly, GroupVersionKind, KubeObject } from '../../../machinery/types.js';
import type { RequestContext } from '../../../api/strategy.js';
import type { Attributes, GroupVersionResource } from './attributes.js';
import type { Equivalents } from './equivalents.js';
import { matchesRule, type Rule } from './rules.js';
import type { AdmissionRequest } from '../types.js';

/** Which requests a webhook, or a policy, wants to be asked about. */
export interface Criteria {
  /** 'any': every request is one that they are about. */
  readonly rules: readonly Rule[] | 'any';
  /** Requests that one of these is about are none of them. */
  readonly excludeRules?: readonly Rule[];
  /** Whether a rule about another resource of the same objects is about them as well. */
  readonly matchPolicy: 'Exact' | 'Equivalent';
  readonly namespaceSelector: Selector;
  readonly objectSelector: Selector;
}

/** As what whoever matched is to be shown a request. */
export interface Match {
  readonly resource: GroupVersionResource;
  readonly kind: GroupVersionKind;
}

/** The objects that selectors are asked about; at a deletion there is no new one. */
export interface Objects {
  readonly object: DeepReadonly<KubeObject> | undefined;
  readonly old: DeepReadonly<KubeObject> | undefined;
}

const labelsOf = (object: DeepReadonly<KubeObject> | undefined) => object?.metadata?.labels;

/**
 * Of the namespace that a request is in; a Namespace that is made or changed is asked itself, since it is newer than what is
 * stored. @throws StatusError 404 for a namespace that there is not
 */
async function namespaceLabels(ctx: RequestContext, request: AdmissionRequest, asked: Attributes, { object }: Objects) {
  const { operation, namespace, resource, subresource } = asked;
  const changes = operation === 'CREATE' || operation === 'UPDATE';
  if (resource.resource === 'namespaces' && subresource === '' && changes) return labelsOf(object);
  const key = { namespace: '', name: namespace };
  // It may just have been made.
  if (ctx.objects.get('namespaces', key) === undefined) await ctx.objects.fresh?.('namespaces', ctx);
  const found = ctx.objects.get('namespaces', key) ?? (request.key.name === namespace ? request.old : undefined);
  if (found === undefined) throw notFoundError({ group: '', resource: 'namespaces' }, namespace);
  return labelsOf(found);
}

/** What a namespace's labels say; or why that cannot be said, which matters only if the rest matches. */
async function matchesNamespace(
  selector: Selector,
  ctx: RequestContext,
  request: AdmissionRequest,
  asked: Attributes,
  objects: Objects,
): Promise<boolean | Error> {
  // What is in no namespace is held back by no selector of namespaces.
  if (asked.namespace === '' && asked.resource.resource !== 'namespaces') return true;
  if (selector.empty) return true;
  try {
    return selector.matches(await namespaceLabels(ctx, request, asked, objects));
  } catch (error) {
    return error as Error;
  }
}

const matchesObject = (selector: Selector, { object, old }: Objects): boolean =>
  selector.empty ||
  (object !== undefined && selector.matches(labelsOf(object))) ||
  (old !== undefined && selector.matches(labelsOf(old)));

/** The first resource under which one of the rules is about the request. */
function matchRules(
  rules: readonly Rule[],
  { matchPolicy }: Criteria,
  request: AdmissionRequest,
  asked: Attributes,
  equivalents: Equivalents,
): Match | undefined {
  if (rules.some(rule => matchesRule(rule, asked))) return { resource: asked.resource, kind: asked.kind };
  if (matchPolicy === 'Exact') return undefined;
  const others = equivalents(request.resource, asked.subresource);
  if (others.length === 0) return undefined;
  // Earlier rules first.
  for (const rule of rules)
    for (const { resource, kind } of others) if (matchesRule(rule, { ...asked, resource })) return { resource, kind };
  return undefined;
}

/**
 * Whether and as what a request is one of those that the criteria want. @throws StatusError when it is, but for a
 * namespace that is not there
 */
export async function matchRequest(
  criteria: Criteria,
  ctx: RequestContext,
  request: AdmissionRequest,
  asked: Attributes,
  objects: Objects,
  equivalents: Equivalents,
): Promise<Match | undefined> {
  // What costs nothing comes first; nothing is thrown unless all the rest matches, so that the order does not show.
  if (!matchesObject(criteria.objectSelector, objects)) return undefined;
  const { excludeRules = [] } = criteria;
  if (excludeRules.length > 0 && matchRules(excludeRules, criteria, request, asked, equivalents) !== undefined)
    return undefined;
  const match =
    criteria.rules === 'any'
      ? { resource: asked.resource, kind: asked.kind }
      : matchRules(criteria.rules, criteria, request, asked, equivalents);
  if (match === undefined) return undefined;
  const inNamespace = await matchesNamespace(criteria.namespaceSelector, ctx, request, asked, objects);
  if (inNamespace instanceof Error) throw inNamespace;
  return inNamespace ? match : undefined;
}
