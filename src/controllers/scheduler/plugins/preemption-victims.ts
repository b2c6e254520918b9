import type { DeepReadonly, PodDisruptionBudget } from '../../../machinery/types.js';
import type { Cycle, Framework } from '../framework.js';
import { unresolvable, type NodeInfo, type PodInfo, type Rejection } from '../plugin.js';
import { selectorOrNothing } from '../pod-info.js';

export type ReadonlyBudget = DeepReadonly<PodDisruptionBudget>;

/** A node that would have room if these Pods went, the most important one first. */
export interface Candidate {
  readonly node: string;
  readonly victims: readonly PodInfo[];
  readonly violations: number;
}

const startOf = ({ pod }: PodInfo): number => Date.parse(pod.status?.startTime ?? '') || Infinity;

/** By priority, and then who has run longer (util.MoreImportantPod). */
export const byImportance = (a: PodInfo, b: PodInfo): number =>
  b.priority - a.priority || (startOf(a) === startOf(b) ? 0 : startOf(a) - startOf(b));

/** Which Pods cannot go without breaking a budget, in the order given. */
export function splitByBudget(
  pods: readonly PodInfo[],
  budgets: readonly ReadonlyBudget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map(budget => ({
    budget,
    allowed: budget.status?.disruptionsAllowed ?? 0,
    selector: selectorOrNothing(budget.spec?.selector),
  }));
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const info of pods) {
    const { name = '', labels = {} } = info.pod.metadata;
    let breaks = false;
    for (const entry of Object.keys(labels).length === 0 ? [] : left) {
      const { budget, selector } = entry;
      if (budget.metadata.namespace !== info.namespace || selector.empty || !selector.matches(labels)) continue;
      // One whose eviction is under way has been counted.
      if (budget.status?.disruptedPods?.[name] !== undefined) continue;
      if (--entry.allowed < 0) breaks = true;
    }
    (breaks ? violating : others).push(info);
  }
  return { violating, others };
}

/** The fewest and least important Pods that must go from a node (default_preemption.go SelectVictimsOnNode). */
export function selectVictims(
  framework: Framework,
  cycle: Cycle,
  pod: PodInfo,
  original: NodeInfo,
  budgets: readonly ReadonlyBudget[],
): Candidate | Rejection {
  const node = original.clone();
  const fork = framework.fork(cycle);
  const take = (info: PodInfo): void => {
    node.remove(info.id);
    framework.removePod(fork, pod, info, node);
  };
  const lesser = [...node.pods.values()].filter(info => info.priority < pod.priority);
  if (lesser.length === 0) return unresolvable('No preemption victims found for incoming pod');
  lesser.forEach(take);
  const rejection = framework.filter(fork, pod, node);
  if (rejection !== undefined) return rejection;
  const victims: PodInfo[] = [];
  const reprieve = (info: PodInfo): boolean => {
    node.add(info);
    framework.addPod(fork, pod, info, node);
    if (framework.filter(fork, pod, node) === undefined) return true;
    take(info);
    victims.push(info);
    return false;
  };
  const { violating, others } = splitByBudget(lesser.sort(byImportance), budgets);
  const violations = violating.filter(info => !reprieve(info)).length;
  others.forEach(reprieve);
  return { node: original.name, victims: victims.sort(byImportance), violations };
}

/** Importance starts above every priority, so that more Pods weigh more whatever theirs is. */
const PRIORITY_OFFSET = 2 ** 31;

/** The candidate that hurts least (preemption.go pickOneNodeForPreemption). */
export function leastHarm(candidates: readonly Candidate[]): Candidate | undefined {
  const harms: ((candidate: Candidate) => number)[] = [
    ({ violations }) => violations,
    ({ victims }) => victims[0]?.priority ?? 0,
    ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + PRIORITY_OFFSET, 0),
    ({ victims }) => victims.length,
    // Of the most important ones, who started last.
    ({ victims }) => -Math.min(...victims.filter(v => v.priority === victims[0]?.priority).map(startOf)),
  ];
  let left = candidates;
  for (const harm of harms) {
    const least = Math.min(...left.map(harm));
    left = left.filter(candidate => harm(candidate) === least);
    if (left.length === 1) break;
  }
  return left[0];
}
