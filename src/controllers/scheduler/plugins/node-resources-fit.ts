import { MAX_SCORE, type NodeInfo, type Plugin, type PodInfo } from '../plugin.js';

/** Extended resources, huge pages and the like: whatever is not counted unless a node says that it has some. */
const isScalar = (name: string): boolean =>
  name.includes('/') || name.startsWith('hugepages-') || name.startsWith('attachable-volumes-');
const isCounted = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || isScalar(name);

function insufficient({ requests }: PodInfo, node: NodeInfo): { name: string; never: boolean }[] {
  const out: { name: string; never: boolean }[] = [];
  for (const [name, amount] of requests) {
    if (amount === 0 || !isCounted(name)) continue;
    const have = node.allocatable.get(name) ?? 0;
    if (amount > have - (node.requested.get(name) ?? 0)) out.push({ name, never: amount > have });
  }
  return out;
}

/** What is left free, in percent (LeastAllocated). */
function freeShare(requested: number, allocatable: number): number {
  return requested > allocatable ? 0 : Math.trunc(((allocatable - requested) * MAX_SCORE) / allocatable);
}

export const nodeResourcesFit = (): Plugin => ({
  name: 'NodeResourcesFit',
  weight: 1,
  events: ['pod/deleted', 'pod/resized', 'node/added', 'node/allocatable'],
  filter(_state, pod, node) {
    const short = insufficient(pod, node);
    const reasons = short.map(({ name }) => `Insufficient ${name}`);
    if (node.pods.size + 1 > (node.allocatable.get('pods') ?? 0)) reasons.unshift('Too many pods');
    if (reasons.length === 0) return undefined;
    return { code: short.some(({ never }) => never) ? 'unresolvable' : 'unschedulable', reasons };
  },
  score(_state, pod, node) {
    let sum = 0;
    let resources = 0;
    for (const name of ['cpu', 'memory']) {
      const allocatable = node.allocatable.get(name) ?? 0;
      if (allocatable === 0) continue;
      const requested = (node.countedRequested.get(name) ?? 0) + (pod.countedRequests.get(name) ?? 0);
      sum += freeShare(requested, allocatable);
      resources++;
    }
    return resources === 0 ? 0 : Math.trunc(sum / resources);
  },
});
