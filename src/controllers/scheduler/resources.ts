import { addQuantities, compareQuantities, parseQuantity, type Quantity } from '../../machinery/quantity.js';
import type { DeepReadonly, Node, Pod } from '../../machinery/types.js';

type ReadonlyPod = DeepReadonly<Pod>;

/** What runs on a node already. */
export interface NodeUsage {
  readonly pods: readonly ReadonlyPod[];
  readonly requests: ReadonlyMap<string, Quantity>;
}

const ZERO = parseQuantity('0');

/** Sum of the containers' requests, or the largest init container's where that is more (resourcehelper.PodRequests). */
export function requestsOf(pod: ReadonlyPod): Map<string, Quantity> {
  const total = new Map<string, Quantity>();
  const add = (name: string, amount: Quantity): void =>
    void total.set(name, addQuantities(total.get(name) ?? ZERO, amount));
  const init = pod.spec?.initContainers ?? [];
  const sidecars = init.filter(container => container.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars])
    for (const [name, text] of Object.entries(container.resources?.requests ?? {})) add(name, parseQuantity(text));
  for (const container of init.filter(c => c.restartPolicy !== 'Always'))
    for (const [name, text] of Object.entries(container.resources?.requests ?? {})) {
      const amount = parseQuantity(text);
      if (compareQuantities(amount, total.get(name) ?? ZERO) > 0) total.set(name, amount);
    }
  for (const [name, text] of Object.entries(pod.spec?.overhead ?? {})) add(name, parseQuantity(text));
  return total;
}

export function usageOf(pods: readonly ReadonlyPod[]): NodeUsage {
  const requests = new Map<string, Quantity>();
  for (const pod of pods)
    for (const [name, amount] of requestsOf(pod)) requests.set(name, addQuantities(requests.get(name) ?? ZERO, amount));
  return { pods, requests };
}

/** The resources a node has too little of for a Pod, as kube-scheduler says it: "Insufficient cpu", "Too many pods". */
export function fits(pod: ReadonlyPod, node: DeepReadonly<Node>, usage: NodeUsage): string[] {
  const allocatable = node.status?.allocatable ?? {};
  const short: string[] = [];
  if (
    allocatable.pods !== undefined &&
    compareQuantities(parseQuantity(String(usage.pods.length + 1)), parseQuantity(allocatable.pods)) > 0
  )
    short.push('Too many pods');
  for (const [name, amount] of requestsOf(pod)) {
    if (compareQuantities(amount, ZERO) === 0) continue;
    const have = parseQuantity(allocatable[name] ?? '0');
    const used = addQuantities(usage.requests.get(name) ?? ZERO, amount);
    if (compareQuantities(used, have) > 0) short.push(`Insufficient ${name}`);
  }
  return short;
}
