import { formatTime } from '../../../machinery/clock.js';
import { errorList, formatFieldError, notSupported, path, required } from '../../../machinery/field-error.js';
import { labelSelectorAsSelector } from '../../../machinery/labels.js';
import {
  badRequestError,
  conflictError,
  forbiddenError,
  isStatusError,
  notFoundError,
  reasonlessError,
  StatusError,
  type Status,
} from '../../../machinery/status.js';
import type { DeepReadonly, KubeObject, LabelSelector, ObjectKey, Pod } from '../../../machinery/types.js';
import { derivedContext } from '../../../api/derived-context.js';
import type { ActionSubresource, DeleteOptions, RequestContext } from '../../../api/strategy.js';

type ReadonlyPod = DeepReadonly<Pod>;

const PODS = { group: '', resource: 'pods' };
const success = (): Status => ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });

type Condition = NonNullable<NonNullable<Pod['status']>['conditions']>[number];

/** podutil.UpdatePodCondition: the transition time moves with the status only. */
function setCondition(
  pod: Pod,
  condition: Pick<Condition, 'type' | 'status' | 'reason' | 'message'>,
  now: string,
): void {
  const status = (pod.status ??= {});
  const conditions = (status.conditions ??= []);
  const found = conditions.findIndex(item => item.type === condition.type);
  const before = conditions[found];
  const same = before?.status === condition.status;
  const fresh = {
    ...condition,
    lastProbeTime: null as unknown as string,
    lastTransitionTime: same ? (before?.lastTransitionTime ?? now) : now,
  } as Condition;
  if (found < 0) conditions.push(fresh);
  else conditions[found] = fresh;
}

interface Target {
  readonly kind?: string;
  readonly name?: string;
}

function checkTarget(target: Target): void {
  const errors = errorList();
  if (target.kind && target.kind !== 'Node')
    errors.push(notSupported(path('target', 'kind'), target.kind, ['Node', '<empty>']));
  if (!target.name) errors.push(required(path('target', 'name')));
  if (errors.length === 0) return;
  const texts = errors.map(formatFieldError);
  throw reasonlessError(texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`);
}

const bindingConflict = (name: string, why: string): StatusError =>
  conflictError({ group: '', resource: 'pods/binding' }, name, why);

/** Writes nodeName, the Binding's labels and annotations, and the condition. @throws StatusError 404, 409 */
export async function assignPod(ctx: RequestContext, key: ObjectKey, binding: KubeObject): Promise<Status> {
  const target = (binding['target'] ?? {}) as Target;
  checkTarget(target);
  const { annotations = {}, labels = {}, uid } = binding.metadata;
  await ctx.objects.update(
    ctx,
    'pods',
    key,
    object => {
      const pod = object as Pod;
      const spec = pod.spec ?? { containers: [] };
      if (uid && uid !== pod.metadata.uid) {
        const text = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid ?? ''}`;
        throw bindingConflict(key.name, text);
      }
      if (pod.metadata.deletionTimestamp !== undefined)
        throw bindingConflict(key.name, `pod ${key.name} is being deleted, cannot be assigned to a host`);
      if (spec.nodeName)
        throw bindingConflict(key.name, `pod ${key.name} is already assigned to node ${JSON.stringify(spec.nodeName)}`);
      if ((spec.schedulingGates ?? []).length > 0)
        throw bindingConflict(key.name, `pod ${key.name} has non-empty .spec.schedulingGates`);
      spec.nodeName = target.name ?? '';
      pod.spec = spec;
      if (Object.keys(annotations).length > 0)
        pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
      // What the Pod says of itself stays.
      if (Object.keys(labels).length > 0) pod.metadata.labels = { ...labels, ...pod.metadata.labels };
      setCondition(pod, { type: 'PodScheduled', status: 'True' }, formatTime(ctx.clock.now()));
      // A promise that is kept is none any more.
      delete pod.status?.nominatedNodeName;
    },
    { subresource: 'assign', dryRun: ctx.options.dryRun },
  );
  return success();
}

export const bindingAction: ActionSubresource = {
  kind: 'action',
  async create(ctx, key, body) {
    const name = body?.metadata.name ?? '';
    if (body === undefined || name !== key.name)
      throw badRequestError('name in URL does not match name in Binding object');
    return { object: await assignPod(ctx, key, body) };
  },
};

interface BudgetSpec {
  readonly selector?: DeepReadonly<LabelSelector>;
  readonly unhealthyPodEvictionPolicy?: string;
}
interface BudgetStatus {
  observedGeneration?: number;
  disruptionsAllowed?: number;
  desiredHealthy?: number;
  currentHealthy?: number;
  disruptedPods?: Record<string, string>;
  conditions?: {
    type: string;
    status: string;
    reason: string;
    message: string;
    lastTransitionTime: string;
    observedGeneration?: number;
  }[];
}

/** More of these than the disruption controller can have caught up with. */
const MAX_DISRUPTED = 2000;

function tooManyRequests(budget: string, cause: string, retryAfterSeconds?: number): StatusError {
  return new StatusError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: cause.replace('%s', budget) }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** Pods whose going disrupts nothing. */
const ignoresBudget = (pod: ReadonlyPod): boolean =>
  pod.metadata.deletionTimestamp !== undefined || ['Succeeded', 'Failed', 'Pending'].includes(pod.status?.phase ?? '');

const isReady = (pod: ReadonlyPod): boolean =>
  (pod.status?.conditions ?? []).some(condition => condition.type === 'Ready' && condition.status === 'True');

function budgetsOf(ctx: RequestContext, pod: ReadonlyPod): DeepReadonly<KubeObject>[] {
  const labels = pod.metadata.labels ?? {};
  return [...ctx.objects.list('poddisruptionbudgets.policy', pod.metadata.namespace)].filter(budget => {
    const selector = (budget['spec'] as BudgetSpec | undefined)?.selector;
    return selector !== undefined && labelSelectorAsSelector(selector).matches(labels);
  });
}

/** Takes one disruption from the budget. @throws StatusError 403, 429 */
function decrement(budget: KubeObject, pod: string, now: string): void {
  const status = (budget['status'] ??= {}) as BudgetStatus;
  const name = budget.metadata.name ?? '';
  const group = { group: 'policy', resource: 'poddisruptionbudgets' };
  if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0))
    throw tooManyRequests(name, 'The disruption budget %s is still being processed by the server.', 10);
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed < 0) throw forbiddenError(group, name, 'pdb disruptions allowed is negative');
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED)
    throw forbiddenError(group, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (allowed === 0) {
    const counts = `needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`;
    throw tooManyRequests(name, `The disruption budget %s ${counts}`);
  }
  status.disruptionsAllowed = allowed - 1;
  if (status.disruptionsAllowed === 0) {
    const condition = status.conditions?.find(item => item.type === 'DisruptionAllowed');
    if (condition !== undefined)
      Object.assign(condition, { status: 'False', reason: 'InsufficientPods', lastTransitionTime: now });
  }
  // The disruption controller takes the Pod out again once it sees it go.
  status.disruptedPods = { ...status.disruptedPods, [pod]: now };
}

async function checkBudgets(ctx: RequestContext, pod: ReadonlyPod, dryRun: boolean): Promise<void> {
  const budgets = budgetsOf(ctx, pod);
  if (budgets.length > 1)
    throw reasonlessError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  const [budget] = budgets;
  if (budget === undefined) return;
  const spec = budget['spec'] as BudgetSpec | undefined;
  const status = budget['status'] as BudgetStatus | undefined;
  const enough = (status?.currentHealthy ?? 0) >= (status?.desiredHealthy ?? 0) && (status?.desiredHealthy ?? 0) > 0;
  // An unready Pod counts for no budget; it may go when enough others are well, or always when the budget says so.
  if (!isReady(pod) && (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' || enough)) return;
  const key = { namespace: budget.metadata.namespace ?? '', name: budget.metadata.name ?? '' };
  const now = formatTime(ctx.clock.now());
  // The server's own write, whoever evicts.
  const asServer = derivedContext(ctx, { options: { ...ctx.options, fieldManager: 'kube-apiserver' } });
  await ctx.objects.update(
    asServer,
    'poddisruptionbudgets.policy',
    key,
    object => decrement(object, pod.metadata.name ?? '', now),
    { subresource: 'status', dryRun },
  );
}

async function evict(ctx: RequestContext, key: ObjectKey, options: DeleteOptions): Promise<void> {
  const now = formatTime(ctx.clock.now());
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  };
  const { resourceVersion: _seen, ...kept } = options.preconditions ?? {};
  if (!options.dryRun)
    await ctx.objects.update(ctx, 'pods', key, pod => setCondition(pod, condition, now), { subresource: 'evict' });
  // The condition has moved the resourceVersion that the client may have named; its uid still holds.
  // It is the eviction that has been admitted.
  await ctx.objects.delete(derivedContext(ctx, { unadmitted: true }), 'pods', key, { ...options, preconditions: kept });
}

/** @throws StatusError */
function checkPreconditions(pod: ReadonlyPod, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { name = '' } = pod.metadata;
  const kind = { group: '', resource: 'Pod' };
  if (uid !== undefined && uid !== pod.metadata.uid) {
    const text = `the UID in the precondition (${uid}) does not match the UID in record (${pod.metadata.uid ?? ''}). The object might have been deleted and then recreated`;
    throw conflictError(kind, name, text);
  }
  if (resourceVersion !== undefined && resourceVersion !== pod.metadata.resourceVersion) {
    const text = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${pod.metadata.resourceVersion ?? ''}). The object might have been modified`;
    throw conflictError(kind, name, text);
  }
}

interface EvictionOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: DeleteOptions['propagationPolicy'];
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: readonly string[];
}

function optionsOf(ctx: RequestContext, body: KubeObject): DeleteOptions {
  const asked = (body['deleteOptions'] ?? {}) as EvictionOptions;
  const { gracePeriodSeconds, propagationPolicy, preconditions } = asked;
  return {
    dryRun: ctx.options.dryRun || (asked.dryRun ?? []).includes('All'),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
}

export const evictionAction: ActionSubresource = {
  kind: 'action',
  async create(ctx, key, body) {
    if (body === undefined || (body.metadata.name ?? '') !== key.name)
      throw badRequestError('name in URL does not match name in Eviction object');
    const options = optionsOf(ctx, body);
    const pod = ctx.objects.get('pods', key) as ReadonlyPod | undefined;
    if (pod === undefined) throw notFoundError(PODS, key.name);
    checkPreconditions(pod, options);
    if (!ignoresBudget(pod)) await checkBudgets(ctx, pod, options.dryRun);
    try {
      await evict(ctx, key, options);
    } catch (error) {
      // Gone in the meantime is what was asked for.
      if (!isStatusError(error, 'NotFound')) throw error;
    }
    return { object: success() };
  },
};
