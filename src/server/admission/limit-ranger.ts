import { podLimits, podRequests } from '../../machinery/pod-requests.js';
import { compareAmounts, type ResourceList } from '../../machinery/quota/resource-list.js';
import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import type { Container, DeepReadonly, KubeObject, Pod } from '../../machinery/types.js';
import type { AdmissionPlugin, AdmissionRequest, RequestContext } from '../../resources/strategy.js';
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

/** Names whose default was set, sorted. */
function fillIn(container: Container, which: 'limits' | 'requests', defaults: ResourceList): string[] {
  const own = container.resources?.[which] ?? NONE;
  const missing = entries(defaults).filter(([name]) => own[name] === undefined);
  if (missing.length > 0)
    container.resources = { ...container.resources, [which]: { ...own, ...Object.fromEntries(missing) } };
  return missing.map(([name]) => name);
}

const allOf = (lists: readonly (ResourceList | undefined)[]): ResourceList =>
  lists.reduce<ResourceList>((all, list) => Object.assign(all, list), {});

function setDefaults(pod: Pod, limits: readonly Limit[]): void {
  const ofContainers = limits.filter(limit => limit.type === 'Container');
  const requests = allOf(ofContainers.map(limit => limit.defaultRequest));
  const maxima = allOf(ofContainers.map(limit => limit.default));
  const notes: string[] = [];
  const visit = (containers: readonly Container[] | undefined, what: string): void => {
    for (const container of containers ?? []) {
      const setLimits = fillIn(container, 'limits', maxima);
      const setRequests = fillIn(container, 'requests', requests);
      if (setRequests.length > 0) notes.push(`${setRequests.join(', ')} request for ${what} ${container.name}`);
      if (setLimits.length > 0) notes.push(`${setLimits.join(', ')} limit for ${what} ${container.name}`);
    }
  };
  visit(pod.spec?.containers, 'container');
  visit(pod.spec?.initContainers, 'init container');
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

const problems = (limit: Limit, bounds: ResourceList | undefined, usage: Usage, check: Problem): string[] =>
  entries(bounds).flatMap(([name, bound]) => check(limit.type, name, bound, usage) ?? []);

const computeProblems = (limit: Limit, usage: Usage): string[] => [
  ...problems(limit, limit.min, usage, minProblem),
  ...problems(limit, limit.max, usage, maxProblem),
  ...problems(limit, limit.maxLimitRequestRatio, usage, ratioProblem),
];

const usageOf = ({ resources }: DeepReadonly<Container>): Usage => ({
  requests: resources?.requests ?? NONE,
  limits: resources?.limits ?? NONE,
});

function podProblems(pod: DeepReadonly<Pod>, limits: readonly Limit[]): string[] {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  // Neither what a runtime adds nor what a resize has not yet taken away counts here.
  const { overhead: _overhead, ...spec } = pod.spec ?? { containers: [] };
  const bare: DeepReadonly<Pod> = { metadata: pod.metadata, spec };
  return limits.flatMap(limit => {
    if (limit.type === 'Container') return containers.flatMap(container => computeProblems(limit, usageOf(container)));
    if (limit.type === 'Pod') return computeProblems(limit, { requests: podRequests(bare), limits: podLimits(bare) });
    return [];
  });
}

function claimProblems(claim: DeepReadonly<KubeObject>, limits: readonly Limit[]): string[] {
  const spec = claim['spec'] as { resources?: { requests?: ResourceList } } | undefined;
  const usage = { requests: spec?.resources?.requests ?? NONE, limits: NONE };
  return limits
    .filter(limit => limit.type === 'PersistentVolumeClaim')
    .flatMap(limit => [
      ...problems(limit, limit.min, usage, minProblem),
      ...problems(limit, limit.max, usage, maxRequestProblem),
    ]);
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
      const found = ofPod
        ? podProblems(object as Pod, limits)
        : claimProblems(object as DeepReadonly<KubeObject>, limits);
      if (found.length > 0) throw forbid(request, aggregate(found));
    }
  },
};
