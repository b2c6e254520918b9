import type { Snapshot } from './cache.js';
import type { Diagnosis } from './fit-error.js';
import type { Cycle, Framework } from './framework.js';
import { unresolvable, type NodeInfo, type PodInfo, type Rejection, type Scores } from './plugin.js';

export interface PlacementOptions {
  readonly framework: Framework;
  readonly snapshot: Snapshot;
  /** The node that the Pod was promised; empty: none. */
  readonly nominated: string;
  /** Where to start looking, for large clusters where not every node is looked at. */
  readonly startAt: number;
  /** 0 to 1: decides between equals. */
  readonly random: () => number;
}

export type Placement =
  | { readonly node: string; readonly cycle: Cycle; readonly looked: number }
  | { readonly diagnosis: Diagnosis; readonly cycle?: Cycle; readonly looked: number };

/** In smaller clusters every node is looked at. */
const FEW_NODES = 100;

/** How many nodes that fit are enough to choose from (schedule_one.go numFeasibleNodesToFind). */
function enough(nodes: number): number {
  if (nodes < FEW_NODES) return nodes;
  const percentage = Math.max(5, 50 - Math.trunc(nodes / 125));
  return Math.max(FEW_NODES, Math.trunc((nodes * percentage) / 100));
}

function best(nodes: readonly NodeInfo[], scores: Scores, random: () => number): string {
  const top = Math.max(...scores);
  const equals = nodes.filter((_, i) => scores[i] === top);
  return equals[Math.min(equals.length - 1, Math.trunc(random() * equals.length))]?.name ?? '';
}

/** Which node a Pod goes to, or why to none (schedule_one.go schedulePod). There is at least one node. */
export function place(pod: PodInfo, options: PlacementOptions): Placement {
  const { framework, snapshot, nominated, startAt, random } = options;
  const all = snapshot.nodes();
  const prefiltered = framework.preFilter(pod);
  if ('rejection' in prefiltered) {
    const { rejection, asked } = prefiltered;
    const plugins = new Set([rejection.plugin ?? '']);
    const diagnosis = { nodes: all.length, preFilter: rejection, asked, byNode: new Map(), others: rejection, plugins };
    return { diagnosis, looked: 0 };
  }
  const { cycle, narrowedBy } = prefiltered;
  const byNode = new Map<string, Rejection>();
  const look = (nodes: readonly NodeInfo[], limit: number, from: number): NodeInfo[] => {
    const fitting: NodeInfo[] = [];
    for (let i = 0; i < nodes.length && fitting.length < limit; i++) {
      const node = nodes[(from + i) % nodes.length] as NodeInfo;
      const rejection = framework.filter(cycle, pod, node);
      if (rejection === undefined) fitting.push(node);
      else byNode.set(node.name, rejection);
    }
    return fitting;
  };
  const promised = nominated === '' ? undefined : snapshot.node(nominated);
  let fitting = promised === undefined ? [] : look([promised], 1, 0);
  let looked = 0;
  if (fitting.length === 0) {
    const { nodes: names } = prefiltered;
    const nodes = names === undefined ? all : [...names].flatMap(name => snapshot.node(name) ?? []);
    fitting = look(nodes, enough(nodes.length), startAt);
    looked = fitting.length + byNode.size;
  }
  const only = fitting.length === 1 ? fitting[0]?.name : undefined;
  if (only !== undefined) return { node: only, cycle, looked };
  if (fitting.length > 0) return { node: best(fitting, framework.score(cycle, pod, fitting), random), cycle, looked };
  const plugins = new Set([...narrowedBy, ...[...byNode.values()].map(rejection => rejection.plugin ?? '')]);
  const others =
    prefiltered.nodes === undefined
      ? {}
      : { others: unresolvable(`node(s) didn't satisfy plugin(s) [${[...narrowedBy].sort().join(' ')}]`) };
  return { diagnosis: { nodes: all.length, byNode, plugins, ...others }, cycle, looked };
}
