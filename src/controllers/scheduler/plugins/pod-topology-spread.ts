import { matchesRequiredNodeAffinity } from '../../../machinery/scheduling/node-affinity.js';
import { untoleratedTaint } from '../../../machinery/scheduling/tolerations.js';
import { selectorOf, type Selector } from '../../../machinery/labels.js';
import type { Snapshot } from '../cache.js';
import { MAX_SCORE, unresolvable, unschedulable, type NodeInfo, type Plugin, type PodInfo } from '../plugin.js';
import { selectorOrNothing, type ReadonlyPod } from '../pod-info.js';
import { defaultSelector, type SelectorSources } from './default-selector.js';

interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: Selector;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}
interface Counted {
  readonly constraint: Constraint;
  /** Matching Pods by value of the topology key. */
  readonly byValue: Map<string, number>;
  /** Of one node. */
  readonly countOn: (node: NodeInfo) => number;
  /** The smallest by value, once it has been asked for. */
  min?: number | undefined;
}
interface ScoreState {
  readonly counted: readonly Counted[];
  readonly weights: readonly number[];
  /** Nodes without all of the labels. */
  readonly ignored: ReadonlySet<string>;
}

const HOSTNAME = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';
const MISMATCH = "node(s) didn't match pod topology spread constraints";

type Unsatisfiable = 'DoNotSchedule' | 'ScheduleAnyway';

function ownConstraints({ metadata, spec }: ReadonlyPod, action: Unsatisfiable): Constraint[] {
  return (spec?.topologySpreadConstraints ?? [])
    .filter(constraint => constraint.whenUnsatisfiable === action)
    .map(({ labelSelector, matchLabelKeys = [], ...constraint }) => {
      const selector = selectorOrNothing(labelSelector);
      const more = matchLabelKeys.flatMap(key => {
        const value = metadata.labels?.[key];
        return value === undefined ? [] : [{ key, operator: '=' as const, values: [value] }];
      });
      return {
        topologyKey: constraint.topologyKey,
        maxSkew: constraint.maxSkew,
        minDomains: constraint.minDomains ?? 1,
        selector:
          more.length === 0 || !selector.selectable ? selector : selectorOf([...selector.requirements, ...more]),
        honorsAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
        honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
      };
    });
}

const hasLabels = (node: NodeInfo, constraints: readonly Constraint[]): boolean =>
  constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined);

/** Whether the node counts, as the constraint's policies have it. */
function includes(
  { honorsAffinity, honorsTaints }: Constraint,
  { pod }: PodInfo,
  { node, hardTaints }: NodeInfo,
): boolean {
  if (node === undefined) return false;
  if (honorsAffinity && !matchesRequiredNodeAffinity(pod, node)) return false;
  return !honorsTaints || untoleratedTaint(pod, hardTaints) === undefined;
}

/** How many Pods of a node a constraint is about: made once for all nodes that are asked. */
function counter({ selector }: Constraint, namespace: string): (node: NodeInfo) => number {
  if (selector.empty || !selector.selectable) return () => 0;
  const key = `spread ${namespace}\n${selector.toString()}`;
  const isCounted = (other: PodInfo): boolean =>
    other.namespace === namespace &&
    other.pod.metadata.deletionTimestamp === undefined &&
    selector.matches(other.pod.metadata.labels);
  return node => node.count(key, isCounted);
}

const uncounted = (constraint: Constraint, namespace: string): Counted => ({
  constraint,
  byValue: new Map(),
  countOn: counter(constraint, namespace),
});

function fewest(counted: Counted): number {
  if (counted.byValue.size < counted.constraint.minDomains) return 0;
  if (counted.min === undefined) {
    counted.min = 2 ** 31 - 1;
    for (const count of counted.byValue.values()) counted.min = Math.min(counted.min, count);
  }
  return counted.min;
}

export function podTopologySpread(
  snapshot: Snapshot,
  sources: SelectorSources,
): Plugin<readonly Counted[], ScoreState> {
  const update = (state: readonly Counted[], pod: PodInfo, other: PodInfo, node: NodeInfo, sign: 1 | -1): void => {
    if (other.namespace !== pod.namespace) return;
    if (
      !hasLabels(
        node,
        state.map(counted => counted.constraint),
      )
    )
      return;
    for (const counted of state) {
      const { constraint, byValue } = counted;
      if (!constraint.selector.matches(other.pod.metadata.labels) || !includes(constraint, pod, node)) continue;
      const value = node.labels[constraint.topologyKey] ?? '';
      byValue.set(value, (byValue.get(value) ?? 0) + sign);
      counted.min = undefined;
    }
  };
  /** Pods that say nothing are spread all the same, as far as it goes (systemDefaultConstraints). */
  const defaults = (pod: ReadonlyPod): Constraint[] => {
    const selector = defaultSelector(pod, sources);
    if (selector.empty) return [];
    const common = { selector, minDomains: 1, honorsAffinity: true, honorsTaints: false };
    return [
      { topologyKey: HOSTNAME, maxSkew: 3, ...common },
      { topologyKey: ZONE, maxSkew: 5, ...common },
    ];
  };

  return {
    name: 'PodTopologySpread',
    weight: 2,
    events: ['pod/added', 'pod/labels', 'pod/deleted', 'node/added', 'node/deleted', 'node/labels', 'node/taints'],
    preFilter(pod) {
      const constraints = ownConstraints(pod.pod, 'DoNotSchedule');
      if (constraints.length === 0) return { skip: true };
      const state = constraints.map(constraint => uncounted(constraint, pod.namespace));
      for (const node of snapshot.nodes()) {
        if (!hasLabels(node, constraints)) continue;
        for (const { constraint, byValue, countOn } of state) {
          if (!includes(constraint, pod, node)) continue;
          const value = node.labels[constraint.topologyKey] ?? '';
          byValue.set(value, (byValue.get(value) ?? 0) + countOn(node));
        }
      }
      return { state };
    },
    clone: state => state.map(({ byValue, min: _, ...same }) => ({ ...same, byValue: new Map(byValue) })),
    addPod: (state, pod, other, node) => update(state, pod, other, node, 1),
    removePod: (state, pod, other, node) => update(state, pod, other, node, -1),
    filter(state, { pod }, node) {
      for (const counted of state ?? []) {
        const { topologyKey, selector, maxSkew } = counted.constraint;
        const value = node.labels[topologyKey];
        if (value === undefined) return unresolvable(`${MISMATCH} (missing required label)`);
        const self = selector.matches(pod.metadata.labels) ? 1 : 0;
        const skew = (counted.byValue.get(value) ?? 0) + self - fewest(counted);
        if (skew > maxSkew) return unschedulable(MISMATCH);
      }
      return undefined;
    },
    preScore(pod, nodes) {
      const own = pod.pod.spec?.topologySpreadConstraints ?? [];
      const constraints = own.length > 0 ? ownConstraints(pod.pod, 'ScheduleAnyway') : defaults(pod.pod);
      if (constraints.length === 0) return undefined;
      // Defaults apply as far as nodes have the labels; what the Pod asks for itself needs all of them.
      const mayCount = (node: NodeInfo): boolean => own.length === 0 || hasLabels(node, constraints);
      const ignored = new Set(nodes.filter(node => !mayCount(node)).map(node => node.name));
      const counted = constraints.map(constraint => uncounted(constraint, pod.namespace));
      for (const { constraint, byValue } of counted)
        if (constraint.topologyKey !== HOSTNAME)
          for (const node of nodes)
            if (!ignored.has(node.name)) byValue.set(node.labels[constraint.topologyKey] ?? '', 0);
      for (const { constraint, byValue, countOn } of counted) {
        if (constraint.topologyKey === HOSTNAME) continue;
        for (const node of snapshot.nodes()) {
          const value = node.labels[constraint.topologyKey];
          // Nodes without the label are a domain to the weights, but no score asks how many Pods are in it.
          const before = value === undefined ? undefined : byValue.get(value);
          if (value === undefined || before === undefined || !mayCount(node)) continue;
          if (includes(constraint, pod, node)) byValue.set(value, before + countOn(node));
        }
      }
      const weights = counted.map(({ constraint, byValue }) =>
        Math.log((constraint.topologyKey === HOSTNAME ? nodes.length - ignored.size : byValue.size) + 2),
      );
      return { counted, weights, ignored };
    },
    score({ counted, weights, ignored }, _pod, node) {
      if (ignored.has(node.name)) return 0;
      let score = 0;
      counted.forEach(({ constraint, byValue, countOn }, i) => {
        const value = node.labels[constraint.topologyKey];
        if (value === undefined) return;
        const count = constraint.topologyKey === HOSTNAME ? countOn(node) : (byValue.get(value) ?? 0);
        score += count * (weights[i] ?? 0) + constraint.maxSkew - 1;
      });
      return Math.round(score);
    },
    normalize({ ignored }, scores, nodes) {
      const isIgnored = nodes.map(node => ignored.has(node.name));
      const counted = scores.filter((_, i) => isIgnored[i] !== true);
      const [min, max] = [Math.min(...counted), Math.max(0, ...counted)];
      scores.forEach((score, i) => {
        if (isIgnored[i] === true) scores[i] = 0;
        else scores[i] = max === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (max + min - score)) / max);
      });
    },
  };
}
