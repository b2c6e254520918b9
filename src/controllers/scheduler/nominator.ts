import type { PodInfo } from './pod-info.js';

/** Pods that have been promised a node on which others make room for them (backend/queue/nominator.go). */
export interface Nominator {
  of(node: string): readonly PodInfo[];
  /** An empty node takes the promise back. */
  set(pod: PodInfo, node: string): void;
  nodeOf(id: string): string;
}

const NOBODY: readonly PodInfo[] = [];

export function createNominator(): Nominator {
  const byNode = new Map<string, Map<string, PodInfo>>();
  const nodes = new Map<string, string>();
  return {
    of: node => (byNode.size === 0 ? NOBODY : [...(byNode.get(node)?.values() ?? [])]),
    nodeOf: id => nodes.get(id) ?? '',
    set(pod, node) {
      const before = nodes.get(pod.id);
      if (before !== undefined) {
        nodes.delete(pod.id);
        const pods = byNode.get(before);
        pods?.delete(pod.id);
        if (pods?.size === 0) byNode.delete(before);
      }
      if (node === '') return;
      nodes.set(pod.id, node);
      const pods = byNode.get(node) ?? new Map<string, PodInfo>();
      byNode.set(node, pods);
      pods.set(pod.id, pod);
    },
  };
}
