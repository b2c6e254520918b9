import { podLimits, podRequests } from '../../machinery/pod-requests.js';
import { compareAmounts, type ResourceList } from '../../machinery/quota/resource-list.js';
import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import { reasonlessError } from '../../machinery/status.js';
import type { Container, DeepReadonly, KubeObject, Pod } from '../../machinery/types.js';
import type { RequestContext } from '../../api/strategy.js';
import type { AdmissionPlugin, AdmissionRequest } from './types.js';
import { aggregate } from '../auth/quote.js';
import { forbid, isPodCreate, isResource } from './forbidden.js';

interface Limit {
  readonly type: string;
  readonly max?: ResourceList;
  readonly min?: ResourceList;
  readonly default?: ResourceList;
  readonly defaultRequest?: ResourceList;
  readonly maxLimitRequestRatio?: ResourceList;
}

const ANNOTATION = 'kubernetes.io/limit-ranger';
const NONE: ResourceList = {};
const entries = (list: ResourceList | undefined): [string, string][] =>
  Object.entries(list ?? NONE).sort(([a], [b]) => (a < b ? -1 : 1));

function* limitsOf(ctx: RequestContext, namespace: string): Generator<readonly Limit[]> {
  for (const range of ctx.objects.list('limitranges', namespace))
    yield (range['spec'] as { limits?: readonly Limit[] | null } | undefined)?.limits ?? [];
}

type Amount = readonly [name: string, amount: string];
interface Missing {
  readonly requests: readonly Amount[];
  readonly limits: readonly Amount[];
}

const missingOf = (own: ResourceList | undefined, defaults: readonly Amount[]): readonly Amount[] =>
  own === undefined ? defaults : defaults.filter(([name]) => own[name] === undefined);

function fillIn(container: Container, which: keyof Missing, missing: readonly Amount[]): void {
  if (missing.length === 0) return;
  const filled: Record<string, string> = { ...container.resources?.[which] };
  for (const [name, amount] of missing) filled[name] = amount;
  container.resources = { ...container.resources, [which]: filled };
}

const allOf = (lists: readonly (ResourceList | undefined)[]): ResourceList =>
  lists.reduce<ResourceList>((all, list) => Object.assign(all, list), {});

/** So many amounts are more than etcd's 1.5 MB, however short they are. */
const MAX_SET = 150_000;

function setDefaults(pod: Pod, limits: readonly Limit[]): void {
  const ofContainers = limits.filter(limit => limit.type === 'Container');
  const requests = entries(allOf(ofContainers.map(limit => limit.defaultRequest)));
  const maxima = entries(allOf(ofContainers.map(limit => limit.default)));
  let set = 0;
  const find = (container: Container, what: string): { container: Container; what: string; missing: Missing } => {
    const { resources } = container;
    const missing = {
      requests: missingOf(resources?.requests, requests),
      limits: missingOf(resources?.limits, maxima),
    };
    set += missing.requests.length + missing.limits.length;
    // Every container gets every default: what that makes would be found too big to be stored, if it came so far.
    if (set > MAX_SET) throw reasonlessError('etcdserver: request is too large');
    return { container, what, missing };
  };
  const found = [
    ...(pod.spec?.containers ?? []).map(container => find(container, 'container')),
    ...(pod.spec?.initContainers ?? []).map(container => find(container, 'init container')),
  ];
  const notes: string[] = [];
  for (const { container, what, missing } of found)
    for (const [which, one] of [
      ['requests', 'request'],
      ['limits', 'limit'],
    ] as const) {
      fillIn(container, which, missing[which]);
      if (missing[which].length > 0)
        notes.push(`${missing[which].map(([name]) => name).join(', ')} ${one} for ${what} ${container.name}`);
    }
  if (notes.length > 0)
    pod.metadata.annotations = {
      ...pod.metadata.annotations,
      [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}`,
    };
}

/** What is held against the limits. */
interface Usage {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

function minProblem(type: string, name: string, bound: string, { requests, limits }: Usage): string | undefined {
  const base = `minimum ${name} usage per ${type} is ${bound}`;
  const request = requests[name];
  const limit = limits[name];
  if (request === undefined) return `${base}.  No request is specified`;
  if (compareAmounts(request, bound) < 0) return `${base}, but request is ${request}`;
  if (limit !== undefined && compareAmounts(limit, bound) < 0) return `${base}, but limit is ${limit}`;
  return undefined;
}

function maxProblem(type: string, name: string, bound: string, { requests, limits }: Usage): string | undefined {
  const base = `maximum ${name} usage per ${type} is ${bound}`;
  const request = requests[name];
  const limit = limits[name];
  if (limit === undefined) return `${base}.  No limit is specified`;
  if (compareAmounts(limit, bound) > 0) return `${base}, but limit is ${limit}`;
  if (request !== undefined && compareAmounts(request, bound) > 0) return `${base}, but request is ${request}`;
  return undefined;
}

/** Of claims, whose limits say nothing. */
function maxRequestProblem(type: string, name: string, bound: string, { requests }: Usage): string | undefined {
  const base = `maximum ${name} usage per ${type} is ${bound}`;
  const request = requests[name];
  if (request === undefined) return `${base}.  No request is specified`;
  return compareAmounts(request, bound) > 0 ? `${base}, but request is ${request}` : undefined;
}

const milli = (amount: string | undefined): number =>
  amount === undefined ? 0 : Number(scaledValue(parseQuantity(amount), -3));

function ratioProblem(type: string, name: string, bound: string, { requests, limits }: Usage): string | undefined {
  const base = `${name} max limit to request ratio per ${type} is ${bound}`;
  const request = milli(requests[name]);
  const limit = milli(limits[name]);
  if (request === 0) return `${base}, but no request is specified or request is 0`;
  if (limit === 0) return `${base}, but no limit is specified or limit is 0`;
  const ratio = limit / request;
  return ratio * 1000 > milli(bound) ? `${base}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}

type Problem = typeof minProblem;

/** More than anybody reads: every container may go against every bound of a limit. */
const MAX_PROBLEMS = 10_000;

const problems = (limit: Limit, bounds: ResourceList | undefined, check: Problem) => {
  const sorted = entries(bounds);
  return function* (usage: Usage): Iterable<string> {
    for (const [name, bound] of sorted) {
      const problem = check(limit.type, name, bound, usage);
      if (problem !== undefined) yield problem;
    }
  };
};

function computeProblems(limit: Limit): (usage: Usage) => Iterable<string> {
  const checks = [
    problems(limit, limit.min, minProblem),
    problems(limit, limit.max, maxProblem),
    problems(limit, limit.maxLimitRequestRatio, ratioProblem),
  ];
  return function* (usage) {
    for (const check of checks) yield* check(usage);
  };
}

const usageOf = ({ resources }: DeepReadonly<Container>): Usage => ({
  requests: resources?.requests ?? NONE,
  limits: resources?.limits ?? NONE,
});

function* podProblems(pod: DeepReadonly<Pod>, limits: readonly Limit[]): Iterable<string> {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  // Neither what a runtime adds nor what a resize has not yet taken away counts here.
  const { overhead: _overhead, ...spec } = pod.spec ?? { containers: [] };
  const bare: DeepReadonly<Pod> = { metadata: pod.metadata, spec };
  for (const limit of limits) {
    const check = computeProblems(limit);
    if (limit.type === 'Container') for (const container of containers) yield* check(usageOf(container));
    if (limit.type === 'Pod') yield* check({ requests: podRequests(bare), limits: podLimits(bare) });
  }
}

function* claimProblems(claim: DeepReadonly<KubeObject>, limits: readonly Limit[]): Iterable<string> {
  const spec = claim['spec'] as { resources?: { requests?: ResourceList } } | undefined;
  const usage = { requests: spec?.resources?.requests ?? NONE, limits: NONE };
  for (const limit of limits) {
    if (limit.type !== 'PersistentVolumeClaim') continue;
    yield* problems(limit, limit.min, minProblem)(usage);
    yield* problems(limit, limit.max, maxRequestProblem)(usage);
  }
}

function first(all: Iterable<string>, count: number): string[] {
  const out: string[] = [];
  for (const one of all) if (out.push(one) === count) break;
  return out;
}

const isResize = (request: AdmissionRequest): boolean =>
  isResource(request, '', 'pods') && request.subresource === 'resize' && request.operation === 'UPDATE';
const isClaimWrite = (request: AdmissionRequest): boolean =>
  isResource(request, '', 'persistentvolumeclaims') && request.subresource === '' && request.operation !== 'DELETE';
const isGoing = ({ old }: AdmissionRequest): boolean => old?.metadata.deletionTimestamp !== undefined;

/** Limits of a namespace: defaults for containers, and bounds for containers, Pods and claims. */
export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  admit(ctx, request) {
    if ((!isPodCreate(request) && !isResize(request)) || isGoing(request)) return;
    for (const limits of limitsOf(ctx, request.key.namespace)) setDefaults(request.object as Pod, limits);
  },
  validate(ctx, request) {
    const ofPod = isPodCreate(request) || isResize(request);
    if ((!ofPod && !isClaimWrite(request)) || isGoing(request)) return;
    for (const limits of limitsOf(ctx, request.key.namespace)) {
      const { object } = request;
      const all = ofPod
        ? podProblems(object as Pod, limits)
        : claimProblems(object as DeepReadonly<KubeObject>, limits);
      const found = first(all, MAX_PROBLEMS);
      if (found.length > 0) throw forbid(request, aggregate(found));
    }
  },
};
