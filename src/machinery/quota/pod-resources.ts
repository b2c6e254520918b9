import type { Container, ContainerStatus, DeepReadonly, Pod } from '../types.js';
import { addLists, compareAmounts, maxLists, type ResourceList } from './resource-list.js';

type ReadonlyPod = DeepReadonly<Pod>;
type Which = 'requests' | 'limits';

const NONE: ResourceList = {};

/** cpu, memory and huge pages may be given for a Pod as a whole. */
const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

export const hasPodLevelResources = ({ spec }: ReadonlyPod): boolean =>
  [spec?.resources?.requests, spec?.resources?.limits].some(list => Object.keys(list ?? NONE).some(isPodLevel));

const resizeIsInfeasible = ({ status }: ReadonlyPod): boolean =>
  status?.conditions?.find(condition => condition.type === 'PodResizePending')?.reason === 'Infeasible';

/** What a container takes: what it asks for, and what it still has while a resize is under way. */
function effective(
  pod: ReadonlyPod,
  container: DeepReadonly<Container>,
  status: DeepReadonly<ContainerStatus> | undefined,
  which: Which,
): ResourceList {
  const wanted: ResourceList = container.resources?.[which] ?? NONE;
  if (status?.resources === undefined) return wanted;
  const actuated: ResourceList = status.resources[which] ?? NONE;
  const held = which === 'requests' ? maxLists(actuated, status.allocatedResources ?? NONE) : actuated;
  return resizeIsInfeasible(pod) ? held : maxLists(wanted, held);
}

/**
 * All containers together, or an init container with the sidecars before it where that is more
 * (https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/753-sidecar-containers).
 */
function ofContainers(pod: ReadonlyPod, which: Which): ResourceList {
  const statuses = new Map(
    [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].map(s => [s.name, s]),
  );
  let total = NONE;
  for (const container of pod.spec?.containers ?? [])
    total = addLists(total, effective(pod, container, statuses.get(container.name), which));
  let sidecars = NONE;
  let starting = NONE;
  for (const container of pod.spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      const own = effective(pod, container, statuses.get(container.name), which);
      total = addLists(total, own);
      sidecars = addLists(sidecars, own);
      starting = maxLists(starting, sidecars);
    } else starting = maxLists(starting, addLists(effective(pod, container, undefined, which), sidecars));
  }
  return maxLists(total, starting);
}

function withPodLevel(pod: ReadonlyPod, total: ResourceList, which: Which): ResourceList {
  const own: ResourceList = pod.spec?.resources?.[which] ?? NONE;
  return { ...total, ...Object.fromEntries(Object.entries(own).filter(([name]) => isPodLevel(name))) };
}

/** What a Pod needs of a node, its overhead included (component-helpers resource.PodRequests). */
export const podRequests = (pod: ReadonlyPod): ResourceList =>
  addLists(withPodLevel(pod, ofContainers(pod, 'requests'), 'requests'), pod.spec?.overhead ?? NONE);

/** What a Pod may take at most; only what is limited counts the overhead (resource.PodLimits). */
export function podLimits(pod: ReadonlyPod): ResourceList {
  const limits = withPodLevel(pod, ofContainers(pod, 'limits'), 'limits');
  const overhead = Object.entries(pod.spec?.overhead ?? NONE).filter(
    ([name]) => limits[name] !== undefined && compareAmounts(limits[name], '0') !== 0,
  );
  return addLists(limits, Object.fromEntries(overhead));
}
