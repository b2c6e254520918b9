import type { Diagnosis } from './fit-error.js';
import type { Nominator } from './nominator.js';
import { unresolvable, type NodeInfo, type Plugin, type PodInfo, type Rejection, type Scores } from './plugin.js';

/** What plugins remember of one attempt to place one Pod. */
export interface Cycle {
  readonly states: ReadonlyMap<Plugin, unknown>;
  readonly skipped: ReadonlySet<Plugin>;
}

export type PreFilterResult =
  | { readonly rejection: Rejection; readonly asked: ReadonlySet<Plugin> }
  | { readonly cycle: Cycle; readonly nodes?: ReadonlySet<string>; readonly narrowedBy: readonly string[] };

/** A profile's plugins at work: who is asked when, and what becomes of the answers (framework/runtime). */
export interface Framework {
  readonly plugins: readonly Plugin[];
  preFilter(pod: PodInfo): PreFilterResult;
  /** Whether the Pod fits, also when Pods that have been promised the node come. */
  filter(cycle: Cycle, pod: PodInfo, node: NodeInfo): Rejection | undefined;
  /** A cycle of one's own, to try changes with. */
  fork(cycle: Cycle): Cycle;
  addPod(cycle: Cycle, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  removePod(cycle: Cycle, pod: PodInfo, other: PodInfo, node: NodeInfo): void;
  score(cycle: Cycle, pod: PodInfo, nodes: readonly NodeInfo[]): Scores;
}

export interface PostFilterResult {
  /** The node that will have room; empty: a promise made before is taken back; undefined: it stays as it was. */
  readonly nominated?: string;
  /** What it says where it found nothing. */
  readonly message?: string;
}

/** All that is done for a Pod that fits nowhere, and what there is to say of it (framework RunPostFilterPlugins). */
export function runPostFilters(
  framework: Framework,
  last: PostFilter,
  cycle: Cycle | undefined,
  pod: PodInfo,
  diagnosis: Diagnosis,
): PostFilterResult {
  const reasons: string[] = [];
  try {
    for (const plugin of framework.plugins)
      if (plugin.postFilter !== undefined)
        reasons.push(plugin.postFilter(cycle?.states.get(plugin), diagnosis.asked?.has(plugin) ?? true));
  } catch (error) {
    return { message: (error as Error).message };
  }
  const { message, ...result } = last.postFilter(framework, cycle, pod, diagnosis);
  return message === undefined ? result : { ...result, message: [...reasons, message].join(', ') };
}

/** What makes room for a Pod that fits nowhere. */
export interface PostFilter {
  readonly name: string;
  /** The Pod waits for what is being done for it. */
  preEnqueue(id: string): string | undefined;
  postFilter(framework: Framework, cycle: Cycle | undefined, pod: PodInfo, diagnosis: Diagnosis): PostFilterResult;
}

const simultaneously = (names: readonly string[]): string =>
  names.length === 1
    ? `node(s) didn't satisfy plugin ${names[0] ?? ''}`
    : `node(s) didn't satisfy plugin(s) [${names.join(' ')}] simultaneously`;

export function createFramework(plugins: readonly Plugin[], nominator: Nominator): Framework {
  const filterOnce = (cycle: Cycle, pod: PodInfo, node: NodeInfo): Rejection | undefined => {
    for (const plugin of plugins) {
      if (plugin.filter === undefined || cycle.skipped.has(plugin)) continue;
      const rejection = plugin.filter(cycle.states.get(plugin), pod, node);
      if (rejection !== undefined) return { ...rejection, plugin: plugin.name };
    }
    return undefined;
  };
  const each = (cycle: Cycle, work: (plugin: Plugin, state: unknown) => void): void => {
    for (const plugin of plugins) if (cycle.states.has(plugin)) work(plugin, cycle.states.get(plugin));
  };
  const framework: Framework = {
    plugins,
    preFilter(pod) {
      const states = new Map<Plugin, unknown>();
      const skipped = new Set<Plugin>();
      const narrowedBy: string[] = [];
      let nodes: ReadonlySet<string> | undefined;
      let soft: Rejection | undefined;
      const asked = new Set<Plugin>();
      for (const plugin of plugins) {
        asked.add(plugin);
        const result = plugin.preFilter?.(pod);
        if (result === undefined) continue;
        if ('skip' in result) skipped.add(plugin);
        else if ('rejection' in result) {
          const rejection = { ...result.rejection, plugin: plugin.name };
          if (rejection.code === 'unresolvable') return { rejection, asked };
          soft = rejection;
        } else {
          states.set(plugin, result.state);
          if (result.nodes === undefined) continue;
          narrowedBy.push(plugin.name);
          const before = nodes;
          nodes = before === undefined ? result.nodes : new Set([...result.nodes].filter(name => before.has(name)));
          if (nodes.size === 0) {
            const rejection = unresolvable(simultaneously(narrowedBy));
            return { rejection: { ...rejection, plugin: plugin.name }, asked };
          }
        }
      }
      if (soft !== undefined) return { rejection: soft, asked };
      return { cycle: { states, skipped }, narrowedBy, ...(nodes === undefined ? {} : { nodes }) };
    },
    filter(cycle, pod, node) {
      const promised = nominator.of(node.name).filter(other => other.priority >= pod.priority && other.id !== pod.id);
      if (promised.length > 0) {
        const fork = framework.fork(cycle);
        const crowded = node.clone();
        for (const other of promised) {
          crowded.add(other);
          framework.addPod(fork, pod, other, crowded);
        }
        const rejection = filterOnce(fork, pod, crowded);
        if (rejection !== undefined) return rejection;
        // It must fit without them too: they may never come.
      }
      return filterOnce(cycle, pod, node);
    },
    fork: ({ states, skipped }) => ({
      skipped,
      states: new Map([...states].map(([plugin, state]) => [plugin, plugin.clone?.(state) ?? state])),
    }),
    addPod: (cycle, pod, other, node) => each(cycle, (plugin, state) => plugin.addPod?.(state, pod, other, node)),
    removePod: (cycle, pod, other, node) => each(cycle, (plugin, state) => plugin.removePod?.(state, pod, other, node)),
    score(cycle, pod, nodes) {
      const total: Scores = nodes.map(() => 0);
      for (const plugin of plugins) {
        if (plugin.score === undefined) continue;
        const state = plugin.preScore === undefined ? {} : plugin.preScore(pod, nodes, cycle.states.get(plugin));
        if (state === undefined) continue;
        const { weight = 1 } = plugin;
        const scores: Scores = [];
        for (const node of nodes) scores.push(plugin.score(state, pod, node));
        plugin.normalize?.(state, scores, nodes);
        scores.forEach((score, i) => (total[i] = (total[i] ?? 0) + score * weight));
      }
      return total;
    },
  };
  return framework;
}
