import type { DeepReadonly, Pod } from '../types.js';
import { onlyKnown, type QuotaEvaluator } from './evaluator.js';
import { hasPodLevelResources, podLimits, podRequests } from '../pod-requests.js';
import { addLists, type ResourceList } from './resource-list.js';
import { isTerminating, podMatchesScope } from './scopes.js';

type ReadonlyPod = DeepReadonly<Pod>;

const COUNT = 'count/pods';
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const TRACKED = [
  COUNT,
  'pods',
  ...COMPUTE,
  ...COMPUTE.map(name => `requests.${name}`),
  ...COMPUTE.map(name => `limits.${name}`),
];

/** Every container must ask for these where a quota counts them: upstream's early mistake, which must not grow. */
const MUST_BE_SET = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];

const HUGE_PAGES = 'hugepages-';
const REQUESTS = 'requests.';
const DEVICE_CLASS = 'deviceclass.resource.kubernetes.io/';

const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
const isExtended = (name: string): boolean =>
  (!isNative(name) && !name.startsWith(REQUESTS)) || name.startsWith(DEVICE_CLASS);
const isExtendedInQuota = (name: string): boolean =>
  name.startsWith(REQUESTS) && (!isNative(name) || name.startsWith(REQUESTS + DEVICE_CLASS));

/** What requests and limits come to in the names of quotas. */
function computeUsage(requests: ResourceList, limits: ResourceList): ResourceList {
  const usage: Record<string, string> = { pods: '1' };
  for (const name of COMPUTE) {
    const request = requests[name];
    const limit = limits[name];
    if (request !== undefined) usage[name] = usage[REQUESTS + name] = request;
    if (limit !== undefined) usage[`limits.${name}`] = limit;
  }
  for (const [name, request] of Object.entries(requests)) {
    if (name.startsWith(HUGE_PAGES)) usage[name] = usage[REQUESTS + name] = request;
    // Extended resources cannot be overcommitted, so that only requests are counted.
    if (isExtended(name)) usage[REQUESTS + name] = request;
  }
  return usage;
}

/** Pods that have ended, or should have been gone by now, hold nothing. */
function isCharged({ status, metadata }: ReadonlyPod, nowMs: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = metadata;
  if (deletionTimestamp === undefined || grace === undefined) return true;
  return nowMs <= Date.parse(deletionTimestamp) + grace * 1000;
}

function missing(names: readonly string[], pod: ReadonlyPod): string | undefined {
  if (hasPodLevelResources(pod)) return undefined;
  const required = MUST_BE_SET.filter(name => names.includes(name));
  const lacking = new Map<string, Set<string>>();
  for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
    const usage = computeUsage(container.resources?.requests ?? {}, container.resources?.limits ?? {});
    for (const name of required) {
      if (usage[name] !== undefined) continue;
      const containers = lacking.get(name);
      if (containers === undefined) lacking.set(name, new Set([container.name]));
      else containers.add(container.name);
    }
  }
  if (lacking.size === 0) return undefined;
  const texts = [...lacking]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, containers]) => `${name} for: ${[...containers].sort().join(',')}`);
  return `must specify ${texts.join('; ')}`;
}

export const podEvaluator: QuotaEvaluator = {
  resource: 'pods',
  matchingResources: names => [
    ...onlyKnown(names, TRACKED),
    ...names.filter(
      name => name.startsWith(HUGE_PAGES) || name.startsWith(REQUESTS + HUGE_PAGES) || isExtendedInQuota(name),
    ),
  ],
  matchesScope: (pod, requirement) => podMatchesScope(pod, requirement),
  handles({ operation, subresource, object, old }) {
    if (subresource === 'resize') return operation === 'UPDATE';
    if (subresource !== '') return false;
    if (operation === 'CREATE') return true;
    // A deadline moves a Pod from one scope to another.
    return old !== undefined && isTerminating(object) !== isTerminating(old);
  },
  missing: (names, pod) => missing(names, pod),
  usage(item, nowMs) {
    const pod = item as ReadonlyPod;
    // count/pods counts what is stored, "pods" what has not ended.
    const stored = { [COUNT]: '1' };
    return isCharged(pod, nowMs) ? addLists(stored, computeUsage(podRequests(pod), podLimits(pod))) : stored;
  },
};
