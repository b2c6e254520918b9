import { addQuantities, compareQuantities, parseQuantity } from './quantity.js';
import { formatQuantity } from './quantity-format.js';
import type { Container, ContainerStatus, DeepReadonly, Pod, PodSpec } from './types.js';

type ReadonlyPod = DeepReadonly<Pod>;
type Which = 'requests' | 'limits';
type List = Readonly<Record<string, string>>;
type Totals = Map<string, string>;

const NONE: List = {};

const isMore = (a: string, b: string): boolean => a !== b && compareQuantities(parseQuantity(a), parseQuantity(b)) > 0;
const plus = (a: string | undefined, b: string): string =>
  a === undefined ? b : formatQuantity(addQuantities(parseQuantity(a), parseQuantity(b)));

function add(totals: Totals, list: List): void {
  for (const [name, amount] of Object.entries(list)) totals.set(name, plus(totals.get(name), amount));
}
function raise(totals: Totals, entries: Iterable<readonly [string, string]>): void {
  for (const [name, amount] of entries) {
    const before = totals.get(name);
    if (before === undefined || isMore(amount, before)) totals.set(name, amount);
  }
}
function larger(a: List, b: List): List {
  const totals: Totals = new Map(Object.entries(a));
  raise(totals, Object.entries(b));
  return Object.fromEntries(totals);
}

/** cpu, memory and huge pages may be given for a Pod as a whole. */
const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

export const hasPodLevelResources = ({ spec }: ReadonlyPod): boolean =>
  [spec?.resources?.requests, spec?.resources?.limits].some(list => Object.keys(list ?? NONE).some(isPodLevel));

/**
 * All containers together, or an init container beside the sidecars before it where that is more: init containers run
 * one by one, sidecars stay (https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/753-sidecar-containers).
 * The one place where a Pod's containers are added up: quotas, limit ranges, defaults and the scheduler must agree.
 */
export function sumContainers(
  spec: DeepReadonly<PodSpec> | undefined,
  amountsOf: (container: DeepReadonly<Container>, stays: boolean) => List,
): ReadonlyMap<string, string> {
  const total: Totals = new Map();
  for (const container of spec?.containers ?? []) add(total, amountsOf(container, true));
  const sidecars: Totals = new Map();
  const peak: Totals = new Map();
  for (const container of spec?.initContainers ?? []) {
    const stays = container.restartPolicy === 'Always';
    const own = Object.entries(amountsOf(container, stays));
    const beside = own.map(([name, amount]) => [name, plus(sidecars.get(name), amount)] as const);
    raise(peak, beside);
    if (!stays) continue;
    for (const [name, amount] of beside) sidecars.set(name, amount);
    add(total, Object.fromEntries(own));
  }
  raise(total, peak);
  return total;
}

/** What the containers say, whatever a resize has made of it. */
export const aggregateResources = (spec: DeepReadonly<PodSpec>, which: Which): ReadonlyMap<string, string> =>
  sumContainers(spec, container => container.resources?.[which] ?? NONE);

const resizeIsInfeasible = ({ status }: ReadonlyPod): boolean =>
  status?.conditions?.find(condition => condition.type === 'PodResizePending')?.reason === 'Infeasible';

/** What a container takes: what it asks for, and what it still has while a resize is under way. */
function effective(
  pod: ReadonlyPod,
  container: DeepReadonly<Container>,
  status: DeepReadonly<ContainerStatus> | undefined,
  which: Which,
): List {
  const wanted: List = container.resources?.[which] ?? NONE;
  if (status?.resources === undefined) return wanted;
  const actuated: List = status.resources[which] ?? NONE;
  const held = which === 'requests' ? larger(actuated, status.allocatedResources ?? NONE) : actuated;
  return resizeIsInfeasible(pod) ? held : larger(wanted, held);
}

function resources(pod: ReadonlyPod, which: Which, assumed: List): Totals {
  const statuses = new Map(
    [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].map(s => [s.name, s]),
  );
  const total = sumContainers(pod.spec, (container, stays) => ({
    ...assumed,
    ...effective(pod, container, stays ? statuses.get(container.name) : undefined, which),
  }));
  const own = Object.entries(pod.spec?.resources?.[which] ?? NONE).filter(([name]) => isPodLevel(name));
  return new Map([...total, ...own]);
}

/**
 * What a Pod needs of a node, its overhead included (component-helpers resource.PodRequests).
 * @param assumed what a container that says nothing of a resource is taken to need
 */
export function podRequests(pod: ReadonlyPod, assumed: List = NONE): List {
  const requests = resources(pod, 'requests', assumed);
  add(requests, pod.spec?.overhead ?? NONE);
  return Object.fromEntries(requests);
}

/** What a Pod may take at most; only what is limited counts the overhead (resource.PodLimits). */
export function podLimits(pod: ReadonlyPod): List {
  const limits = resources(pod, 'limits', NONE);
  for (const [name, amount] of Object.entries(pod.spec?.overhead ?? NONE)) {
    const limit = limits.get(name);
    if (limit !== undefined && isMore(limit, '0')) limits.set(name, plus(limit, amount));
  }
  return Object.fromEntries(limits);
}
