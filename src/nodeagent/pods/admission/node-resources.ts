import { podRequests } from '../../../machinery/pod-requests.js';
import { parseQuantity, scaledValue } from '../../../machinery/quantity.js';
import type { DeepReadonly, Node } from '../../../machinery/types.js';
import type { ReadonlyPod } from '../types.js';

/** Too little of a resource; amounts in its own unit: thousandths of a cpu, bytes, pieces. */
export interface Shortage {
  readonly resource: string;
  readonly requested: bigint;
  readonly used: bigint;
  readonly capacity: bigint;
}

export const amountOf = (resource: string, quantity: string | undefined): bigint =>
  quantity === undefined ? 0n : scaledValue(parseQuantity(quantity), resource === 'cpu' ? -3 : 0);

/** What the spec says, whatever the status knows of a resize: it is the kubelet that decides about that. */
const specRequests = ({ metadata, spec }: ReadonlyPod) =>
  podRequests({ metadata, ...(spec === undefined ? {} : { spec }) });

/** What a Pod asks for of one resource; of `pods` it takes one. */
export const requestOf = (pod: ReadonlyPod, resource: string): bigint =>
  resource === 'pods' ? 1n : amountOf(resource, specRequests(pod)[resource]);

const isNative = (resource: string): boolean =>
  !resource.includes('/') || resource.split('/', 1)[0]?.endsWith('kubernetes.io') === true;

/**
 * What the node has too little of for one more Pod, with the Pods before it that are still there (noderesources.Fits).
 * Extended resources that the node does not know are the cluster's business, not the kubelet's.
 */
export function shortages(
  pod: ReadonlyPod,
  others: readonly ReadonlyPod[],
  allocatable: NonNullable<DeepReadonly<Node>['status']>['allocatable'] = {},
): Shortage[] {
  const found: Shortage[] = [];
  const allowed = amountOf('pods', allocatable['pods']);
  const present = BigInt(others.length);
  if (present + 1n > allowed) found.push({ resource: 'pods', requested: 1n, used: present, capacity: allowed });
  const first = ['cpu', 'memory', 'ephemeral-storage'];
  const requests = specRequests(pod);
  const taken = others.map(specRequests);
  const names = [...first, ...Object.keys(requests).filter(name => !first.includes(name))];
  for (const resource of names) {
    const requested = amountOf(resource, requests[resource]);
    if (requested === 0n || (!isNative(resource) && allocatable[resource] === undefined)) continue;
    const capacity = amountOf(resource, allocatable[resource]);
    const used = taken.reduce((sum, list) => sum + amountOf(resource, list[resource]), 0n);
    if (requested > capacity - used) found.push({ resource, requested, used, capacity });
  }
  return found;
}
