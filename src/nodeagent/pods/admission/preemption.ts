import { podQosClass } from '../qos.js';
import type { ReadonlyPod } from '../types.js';
import { requestOf } from './node-resources.js';

/** So much of a resource must become free. */
export interface Requirement {
  readonly resource: string;
  readonly quantity: bigint;
}

/** scheduling.SystemCriticalPriority */
const CRITICAL = 2_000_000_000;

export const isCritical = ({ spec }: ReadonlyPod): boolean => (spec?.priority ?? 0) >= CRITICAL;

const yieldsTo = (pod: ReadonlyPod, victim: ReadonlyPod): boolean => {
  if (isCritical(pod) && !isCritical(victim)) return true;
  const [mine, its] = [pod.spec?.priority, victim.spec?.priority];
  return mine !== undefined && its !== undefined && mine > its;
};

/** What is still needed when these Pods are gone. */
const without = (needs: readonly Requirement[], pods: readonly ReadonlyPod[]): Requirement[] =>
  needs.flatMap(({ resource, quantity }) => {
    const left = pods.reduce((rest, pod) => rest - requestOf(pod, resource), quantity);
    return left > 0n ? [{ resource, quantity: left }] : [];
  });

const listed = (needs: readonly Requirement[]): string =>
  `[${needs.map(({ resource, quantity }) => `(res: ${resource}, q: ${quantity}), `).join('')}]`;

const noSet = (needs: readonly Requirement[]): Error =>
  new Error(`no set of running pods found to reclaim resources: ${listed(needs)}`);

/** How far a Pod alone is from what is needed: every resource counts alike. */
const distance = (needs: readonly Requirement[], pod: ReadonlyPod): number =>
  needs.reduce((sum, { resource, quantity }) => {
    const left = Number(quantity - requestOf(pod, resource));
    return left > 0 ? sum + (left / Number(quantity)) ** 2 : sum;
  }, 0);

const smaller = (a: ReadonlyPod, b: ReadonlyPod): boolean => {
  for (const resource of ['memory', 'cpu']) {
    const [mine, its] = [requestOf(a, resource), requestOf(b, resource)];
    if (mine !== its) return mine < its;
  }
  return true;
};

/** Picks the nearest Pod again and again until enough is free. @throws Error when there are not enough */
function nearest(pods: readonly ReadonlyPod[], needs: readonly Requirement[]): ReadonlyPod[] {
  const left = [...pods];
  const chosen: ReadonlyPod[] = [];
  for (let rest = needs; rest.length > 0; rest = without(rest, chosen.slice(-1))) {
    const needed = rest;
    const distances = new Map(left.map(pod => [pod, distance(needed, pod)]));
    const best = left.reduce<ReadonlyPod | undefined>((winner, pod) => {
      if (winner === undefined) return pod;
      const [mine = 0, its = 0] = [distances.get(pod), distances.get(winner)];
      return mine < its || (mine === its && smaller(pod, winner)) ? pod : winner;
    }, undefined);
    if (best === undefined) throw noSet(rest);
    chosen.push(best);
    left.splice(left.indexOf(best), 1);
  }
  return chosen;
}

/**
 * The Pods that a critical Pod makes way for it: best-effort ones first, guaranteed ones only where nothing else helps
 * (kubelet preemption.getPodsToPreempt). @throws Error when all of them together are too few
 */
export function podsToPreempt(
  pod: ReadonlyPod,
  running: readonly ReadonlyPod[],
  needs: readonly Requirement[],
): ReadonlyPod[] {
  const candidates = running.filter(other => yieldsTo(pod, other));
  const of = (qos: string): ReadonlyPod[] => candidates.filter(other => podQosClass(other) === qos);
  const [bestEffort, burstable, guaranteed] = [of('BestEffort'), of('Burstable'), of('Guaranteed')];
  const unmet = without(needs, candidates);
  if (unmet.length > 0) throw noSet(unmet);
  const guaranteedOut = nearest(guaranteed, without(needs, [...bestEffort, ...burstable]));
  const burstableOut = nearest(burstable, without(needs, [...bestEffort, ...guaranteedOut]));
  const bestEffortOut = nearest(bestEffort, without(needs, [...burstableOut, ...guaranteedOut]));
  return [...bestEffortOut, ...burstableOut, ...guaranteedOut];
}
