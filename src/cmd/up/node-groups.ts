import { semanticEqual } from '../../machinery/json-equal.js';
import type { ProxyMode } from '../../dataplane/proxiers/modes.js';
import { podsOf } from '../../cluster/node-description.js';
import { nodeName, type WantedNode } from './nodes.js';

/** Nodes that one agent runs: their numbers follow each other, and they are alike in what an agent is told. */
export interface NodeGroup {
  readonly nodes: readonly [WantedNode, ...WantedNode[]];
  readonly proxyMode: ProxyMode;
}

/** "node-1", or "node-1..node-1000". */
export const groupName = ({ nodes }: Pick<NodeGroup, 'nodes'>): string => {
  const last = nodes.at(-1) ?? nodes[0];
  return last === nodes[0] ? nodeName(last) : `${nodeName(nodes[0])}..${nodeName(last)}`;
};

/** Deals nodes to agents, `perAgent` at most to each. Who has a name of its own is alone: the others are called by numbers. */
export function groupsOf(
  nodes: readonly WantedNode[],
  perAgent: number,
  modeOf: (node: WantedNode) => ProxyMode,
): NodeGroup[] {
  const groups: { nodes: [WantedNode, ...WantedNode[]]; proxyMode: ProxyMode }[] = [];
  for (const node of [...nodes].sort((a, b) => a.number - b.number)) {
    const last = groups.at(-1);
    const [first] = last?.nodes ?? [];
    const before = last?.nodes.at(-1);
    const proxyMode = modeOf(node);
    const fits =
      last !== undefined &&
      first !== undefined &&
      last.nodes.length < perAgent &&
      [first, node].every(({ name }) => name === undefined) &&
      before?.number === node.number - 1 &&
      last.proxyMode === proxyMode &&
      podsOf(first) === podsOf(node) &&
      semanticEqual(first.capacity ?? {}, node.capacity ?? {});
    if (fits) last.nodes.push(node);
    else groups.push({ nodes: [node], proxyMode });
  }
  return groups;
}
