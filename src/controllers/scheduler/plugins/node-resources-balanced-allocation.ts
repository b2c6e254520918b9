import { MAX_SCORE, type Plugin } from '../plugin.js';

const RESOURCES = ['cpu', 'memory'];

/** Likes nodes whose resources would be used up evenly. A Pod that asks for nothing changes nothing. */
export const nodeResourcesBalancedAllocation = (): Plugin => ({
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  preScore: ({ requests }) => (RESOURCES.every(name => (requests.get(name) ?? 0) === 0) ? undefined : {}),
  score(_state, pod, node) {
    const shares: number[] = [];
    for (const name of RESOURCES) {
      const allocatable = node.allocatable.get(name) ?? 0;
      if (allocatable === 0) continue;
      const requested = (node.requested.get(name) ?? 0) + (pod.requests.get(name) ?? 0);
      shares.push(Math.min(1, requested / allocatable));
    }
    const [first = 0, second = first] = shares;
    return Math.trunc((1 - Math.abs((first - second) / 2)) * MAX_SCORE);
  },
});
