import type { Indexer } from '../../../client/types.js';
import type { Labels } from '../../../machinery/labels.js';
import type { Namespace } from '../../../machinery/types.js';
import type { Snapshot } from '../cache.js';
import { MAX_SCORE, unresolvable, unschedulable, type NodeInfo, type Plugin, type PodInfo } from '../plugin.js';
import { matchesTerm, withKey, type Affinity, type AffinityTerm } from '../pod-info.js';

/** How many Pods match in each part of the cluster, by "label/value" of the nodes there. */
type Counts = Map<string, number>;

interface FilterState {
  /** Of Pods that want nobody like this one near. */
  readonly existingAnti: Counts;
  readonly affinity: Counts;
  readonly anti: Counts;
  readonly required: readonly AffinityTerm[];
  readonly requiredAnti: readonly AffinityTerm[];
}

const part = (key: string, value: string): string => `${key}\n${value}`;

function add(counts: Counts, node: NodeInfo, key: string, amount: number): void {
  const value = node.labels[key];
  if (value === undefined || amount === 0) return;
  const at = part(key, value);
  const sum = (counts.get(at) ?? 0) + amount;
  if (sum === 0) counts.delete(at);
  else counts.set(at, sum);
}
const countAt = (counts: Counts, node: NodeInfo, key: string): number => {
  const value = node.labels[key];
  return value === undefined ? 0 : (counts.get(part(key, value)) ?? 0);
};

/** Hard affinity of Pods that are there counts as this much of a wish that others come (HardPodAffinityWeight). */
const HARD_WEIGHT = 1;

const weightOf = (kind: keyof Affinity, { weight }: AffinityTerm): number =>
  kind === 'required' ? HARD_WEIGHT : kind === 'preferred' ? weight : -weight;

export function interPodAffinity(snapshot: Snapshot, namespaces: Indexer<Namespace>): Plugin<FilterState, Counts> {
  const labelsOf = (namespace: string): Labels => namespaces.get(namespace)?.metadata.labels ?? {};
  const matches = (term: AffinityTerm, info: PodInfo): boolean => matchesTerm(term, info.pod, labelsOf(info.namespace));
  const matchesAll = (terms: readonly AffinityTerm[], info: PodInfo): boolean =>
    terms.length > 0 && terms.every(term => matches(term, info));
  /** Namespaces are named, so that what was counted holds however their labels change. */
  const named = (term: AffinityTerm): AffinityTerm => {
    const { namespaceSelector } = term;
    if (!namespaceSelector.selectable || namespaceSelector.empty) return term;
    const chosen = [...namespaces.list()].filter(n => namespaceSelector.matches(n.metadata.labels));
    return withKey({ ...term, namespaces: new Set([...term.namespaces, ...chosen.map(n => n.metadata.name ?? '')]) });
  };
  const update = (state: FilterState, pod: PodInfo, other: PodInfo, node: NodeInfo, sign: 1 | -1): void => {
    for (const term of other.affinity.requiredAnti)
      if (matches(term, pod)) add(state.existingAnti, node, term.topologyKey, sign);
    if (matchesAll(state.required, other))
      for (const term of state.required) add(state.affinity, node, term.topologyKey, sign);
    for (const term of state.requiredAnti) if (matches(term, other)) add(state.anti, node, term.topologyKey, sign);
  };
  /** Whether terms select the Pod, each asked once. */
  const matcher = (pod: PodInfo): ((term: AffinityTerm) => boolean) => {
    const known = new Map<string, boolean>();
    return term => {
      let is = known.get(term.key);
      if (is === undefined) {
        is = matches(term, pod);
        known.set(term.key, is);
      }
      return is;
    };
  };
  const countExistingAnti = (pod: PodInfo): Counts => {
    const counts: Counts = new Map();
    const selects = matcher(pod);
    for (const node of snapshot.withRequiredAntiAffinity())
      for (const { kind, term, count } of node.terms.values())
        if (kind === 'requiredAnti' && selects(term)) add(counts, node, term.topologyKey, count);
    return counts;
  };

  return {
    name: 'InterPodAffinity',
    weight: 2,
    events: ['pod/added', 'pod/labels', 'pod/deleted', 'node/added', 'node/labels'],
    preFilter(pod) {
      const existingAnti = countExistingAnti(pod);
      const required = pod.affinity.required.map(named);
      const requiredAnti = pod.affinity.requiredAnti.map(named);
      if (existingAnti.size === 0 && required.length === 0 && requiredAnti.length === 0) return { skip: true };
      const affinity: Counts = new Map();
      const anti: Counts = new Map();
      const requiredKey = required.map(term => term.key).join('\n\n');
      for (const node of required.length + requiredAnti.length === 0 ? [] : snapshot.nodes()) {
        if (required.length > 0) {
          const count = node.count(`affinity ${requiredKey}`, other => matchesAll(required, other));
          for (const term of required) add(affinity, node, term.topologyKey, count);
        }
        for (const term of requiredAnti) {
          const count = node.count(`term ${term.key}`, other => matches(term, other));
          add(anti, node, term.topologyKey, count);
        }
      }
      return { state: { existingAnti, affinity, anti, required, requiredAnti } };
    },
    clone: state => ({
      ...state,
      existingAnti: new Map(state.existingAnti),
      affinity: new Map(state.affinity),
      anti: new Map(state.anti),
    }),
    addPod: (state, pod, other, node) => update(state, pod, other, node, 1),
    removePod: (state, pod, other, node) => update(state, pod, other, node, -1),
    filter(state, pod, node) {
      if (state === undefined) return undefined;
      const { required, requiredAnti, affinity, anti, existingAnti } = state;
      const hasLabels = required.every(({ topologyKey }) => node.labels[topologyKey] !== undefined);
      const hasPods = required.every(({ topologyKey }) => countAt(affinity, node, topologyKey) > 0);
      // The first of a group that wants to be together must be let in somewhere.
      const isFirst = affinity.size === 0 && matchesAll(required, pod);
      if (!hasLabels || (!hasPods && !isFirst)) return unresolvable("node(s) didn't match pod affinity rules");
      if (requiredAnti.some(({ topologyKey }) => countAt(anti, node, topologyKey) > 0))
        return unschedulable("node(s) didn't match pod anti-affinity rules");
      if (existingAnti.size > 0 && Object.keys(node.labels).some(key => countAt(existingAnti, node, key) > 0))
        return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
      return undefined;
    },
    preScore(pod) {
      const counts: Counts = new Map();
      const wishes = [
        ...pod.affinity.preferred.map(term => ({ term: named(term), sign: 1 })),
        ...pod.affinity.preferredAnti.map(term => ({ term: named(term), sign: -1 })),
      ];
      for (const node of wishes.length === 0 ? [] : snapshot.nodes())
        for (const { term, sign } of wishes) {
          const count = node.count(`term ${term.key}`, other => matches(term, other));
          add(counts, node, term.topologyKey, sign * term.weight * count);
        }
      const selects = matcher(pod);
      for (const node of snapshot.withAffinity())
        for (const { kind, term, count } of node.terms.values())
          if (kind !== 'requiredAnti' && selects(term))
            add(counts, node, term.topologyKey, count * weightOf(kind, term));
      return counts.size === 0 ? undefined : counts;
    },
    score: (counts, _pod, node) => Object.keys(node.labels).reduce((sum, key) => sum + countAt(counts, node, key), 0),
    normalize(_counts, scores) {
      const min = Math.min(...scores);
      const range = Math.max(...scores) - min;
      scores.forEach((score, i) => (scores[i] = range === 0 ? 0 : Math.trunc(MAX_SCORE * ((score - min) / range))));
    },
  };
}
