import { evaluatorOf, matchesQuota } from '../../machinery/quota/usage.js';
import type { QuotaEvaluator, QuotaOperation } from '../../machinery/quota/evaluator.js';
import {
  addLists,
  exceededNames,
  equalLists,
  maskList,
  negativeNames,
  subtractLists,
  withoutZeros,
  type ResourceList,
} from '../../machinery/quota/resource-list.js';
import type { ScopedSpec } from '../../machinery/quota/scopes.js';
import type { DeepReadonly, KubeObject } from '../../machinery/types.js';
import { resourceId } from '../../api/resource-info.js';
import type { RequestContext } from '../../api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from './types.js';
import { selfContext } from '../bootstrap/ensure.js';
import { forbid } from './forbidden.js';

interface Quota extends KubeObject {
  spec?: ScopedSpec;
  status?: { hard?: ResourceList; used?: ResourceList };
}
type ReadonlyQuota = DeepReadonly<Quota>;

const QUOTAS = 'resourcequotas';
const NONE: ResourceList = {};

const amounts = (list: ResourceList): string =>
  Object.entries(list)
    .map(([name, amount]) => `${name}=${amount}`)
    .sort()
    .join(',');

const hardOf = (quota: ReadonlyQuota): ResourceList => quota.status?.hard ?? NONE;
const usedOf = (quota: ReadonlyQuota): ResourceList => quota.status?.used ?? NONE;

/** What a write adds to one quota's use. */
interface Charge {
  readonly quota: ReadonlyQuota;
  readonly delta: ResourceList;
}

/** The quotas that count the object, with what it costs. @throws StatusError 403 */
function chargesOf(
  ctx: RequestContext,
  request: AdmissionRequest,
  evaluator: QuotaEvaluator,
  { operation, object, old }: QuotaOperation,
): Charge[] {
  const nowMs = ctx.clock.now();
  const matching: ReadonlyQuota[] = [];
  for (const item of ctx.objects.list(QUOTAS, request.key.namespace)) {
    const quota = item as ReadonlyQuota;
    const hard = hardOf(quota);
    if (!matchesQuota(evaluator, quota.spec, hard, object)) continue;
    const name = quota.metadata.name ?? '';
    const names = evaluator.matchingResources(Object.keys(hard));
    const missing = evaluator.missing?.(names, object);
    if (missing !== undefined) throw forbid(request, `failed quota: ${name}: ${missing}`);
    if (names.some(tracked => usedOf(quota)[tracked] === undefined))
      throw forbid(request, `status unknown for quota: ${name}, resources: ${names.sort().join(',')}`);
    matching.push(quota);
  }
  if (matching.length === 0) return [];

  const usage = evaluator.usage(object, nowMs);
  const negative = negativeNames(usage);
  if (negative.length > 0)
    throw forbid(request, `quota usage is negative for resource(s): ${negative.sort().join(',')}`);
  const change =
    operation === 'UPDATE' && old !== undefined ? subtractLists(usage, evaluator.usage(old, nowMs)) : usage;
  return matching.flatMap(quota => {
    // An object that moves into a quota's scope is charged in full.
    const wasCounted = old !== undefined && matchesQuota(evaluator, quota.spec, hardOf(quota), old);
    const delta = withoutZeros(wasCounted ? change : usage);
    return Object.keys(delta).length === 0 ? [] : [{ quota, delta }];
  });
}

/** What the quota has used with the charge. @throws StatusError 403 when that is too much */
function charged(request: AdmissionRequest, quota: ReadonlyQuota, delta: ResourceList): ResourceList {
  const hard = hardOf(quota);
  const requested = maskList(delta, Object.keys(hard));
  const used = addLists(usedOf(quota), requested);
  if (request.subresource === 'status') return used;
  const exceeded = exceededNames(maskList(used, Object.keys(requested)), hard);
  if (exceeded.length === 0) return used;
  const shown = (list: ResourceList): string => amounts(maskList(list, exceeded));
  const what = `requested: ${shown(requested)}, used: ${shown(usedOf(quota))}, limited: ${shown(hard)}`;
  throw forbid(request, `exceeded quota: ${quota.metadata.name ?? ''}, ${what}`);
}

async function charge(
  ctx: RequestContext,
  request: AdmissionRequest,
  evaluator: QuotaEvaluator,
  operation: QuotaOperation,
): Promise<void> {
  const charges = chargesOf(ctx, request, evaluator, operation);
  // All must fit before any is charged.
  for (const { quota, delta } of charges) charged(request, quota, delta);
  if (ctx.options.dryRun) return;
  const self = selfContext(ctx.objects, ctx.clock, ctx.signal);
  for (const { quota, delta } of charges) {
    if (equalLists(charged(request, quota, delta), usedOf(quota))) continue;
    const key = { namespace: request.key.namespace, name: quota.metadata.name ?? '' };
    // The controller may have written in between: what is charged is what is there now.
    const change = (object: KubeObject): void => {
      const current = object as Quota;
      current.status = { ...current.status, used: charged(request, current, delta) };
    };
    await ctx.objects.update(self, QUOTAS, key, change, { subresource: 'status' });
  }
}

/**
 * Nothing is created beyond the quotas of its namespace. Runs last: what it charges, nothing after it refuses. Requests
 * of one namespace take turns, so that two cannot both take what is left for one.
 */
export function createResourceQuotaPlugin(): AdmissionPlugin {
  const turns = new Map<string, Promise<void>>();

  const inTurn = async (namespace: string, act: () => Promise<void>): Promise<void> => {
    const before = turns.get(namespace) ?? Promise.resolve();
    const mine = before.then(act);
    // Who comes next waits for the end, whatever it was.
    const end = mine.catch(() => undefined);
    turns.set(namespace, end);
    try {
      await mine;
    } finally {
      if (turns.get(namespace) === end) turns.delete(namespace);
    }
  };

  return {
    name: 'ResourceQuota',
    validate(ctx, request) {
      const { operation, key, subresource, object, old, resource } = request;
      if (key.namespace === '' || !resource.namespaced || object === undefined) return;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return;
      const evaluator = evaluatorOf(resourceId(resource));
      const write: QuotaOperation = { operation, subresource, object, ...(old === undefined ? {} : { old }) };
      if (evaluator?.handles(write) !== true || !hasQuotas(ctx, key.namespace)) return;
      return inTurn(key.namespace, () => charge(ctx, request, evaluator, write));
    },
  };
}

function hasQuotas(ctx: RequestContext, namespace: string): boolean {
  for (const _quota of ctx.objects.list(QUOTAS, namespace)) return true;
  return false;
}
