import type { DeepReadonly, Pod } from '../../machinery/types.js';
import { groupPods, requestsOf, type PodMetric, type PodMetrics } from './pod-metrics.js';
import { isWithin, type Tolerances } from './tolerances.js';

/** How many replicas a metric asks for (pkg/controller/podautoscaler/replica_calculator.go). */

const MAX_INT32 = 2 ** 31 - 1;

export interface Proposal {
  readonly replicas: number;
  /** As status tells it, in thousandths. */
  readonly usage: number;
  /** In percent of what was requested. */
  readonly utilization?: number;
}

interface Selected {
  readonly currentReplicas: number;
  readonly tolerances: Tolerances;
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly nowMs: number;
}

interface Ratio {
  readonly ratio: number;
  readonly usage: number;
  readonly utilization?: number;
}

/** What stands for a Pod whose metric is not known. */
interface Judge {
  readonly ratioOf: (metrics: PodMetrics) => Ratio;
  /** In thousandths, where the others say that there are too many. */
  readonly missing: (pod: string) => number;
}

const NO_PODS = 'no pods returned by selector while calculating replica count';

const count = (replicas: number): number => Math.min(Math.ceil(replicas), MAX_INT32);

function proposalFrom(metrics: PodMetrics, resource: string, asked: Selected, judge: Judge): Proposal {
  const { currentReplicas, tolerances, pods, nowMs } = asked;
  const { readyCount, unready, missing, ignored } = groupPods(pods, metrics, resource, nowMs);
  const counted = new Map([...metrics].filter(([name]) => !ignored.has(name) && !unready.has(name)));
  if (counted.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)');
  const first = judge.ratioOf(counted);
  const { ratio } = first;
  const of = (replicas: number): Proposal => ({
    replicas,
    usage: first.usage,
    ...(first.utilization === undefined ? {} : { utilization: first.utilization }),
  });
  const upWithUnready = unready.size > 0 && ratio > 1;
  if (!upWithUnready && missing.size === 0)
    return of(isWithin(ratio, tolerances) ? currentReplicas : count(ratio * readyCount));

  // Those of which nothing is known are taken to speak against a change.
  const assumed = new Map<string, PodMetric>(counted);
  const assume = (name: string, milli: number): void => void assumed.set(name, { atMs: 0, windowMs: 0, milli });
  if (ratio < 1) for (const name of missing) assume(name, judge.missing(name));
  else if (ratio > 1) for (const name of missing) assume(name, 0);
  if (upWithUnready) for (const name of unready) assume(name, 0);
  const again = judge.ratioOf(assumed).ratio;
  const turned = (ratio < 1 && again > 1) || (ratio > 1 && again < 1);
  if (isWithin(again, tolerances) || turned) return of(currentReplicas);
  const replicas = count(again * assumed.size);
  const wrongWay = (again < 1 && replicas > currentReplicas) || (again > 1 && replicas < currentReplicas);
  return of(wrongWay ? currentReplicas : replicas);
}

/** To a percentage of what the Pods have requested. @throws Error */
export function utilizationReplicas(
  metrics: PodMetrics,
  asked: Selected & { readonly resource: string; readonly container: string; readonly target: number },
): Proposal {
  const { pods, resource, container, target } = asked;
  if (pods.length === 0) throw new Error(NO_PODS);
  let requests: ReadonlyMap<string, number> | undefined;
  const known = (): ReadonlyMap<string, number> => (requests ??= requestsOf(pods, container, resource));
  return proposalFrom(metrics, resource, asked, {
    ratioOf(counted) {
      let [used, requested, entries] = [0, 0, 0];
      for (const [name, { milli }] of counted) {
        const request = known().get(name);
        if (request === undefined) continue;
        used += milli;
        requested += request;
        entries++;
      }
      if (requested === 0) throw new Error('no metrics returned matched known pods');
      const utilization = Math.trunc((used * 100) / requested);
      return { ratio: utilization / target, utilization, usage: Math.trunc(used / entries) };
    },
    missing: name => Math.trunc(((known().get(name) ?? 0) * Math.max(100, target)) / 100),
  });
}

/** To an amount for each Pod. @throws Error */
export function averageReplicas(
  metrics: PodMetrics,
  asked: Selected & { readonly resource: string; readonly target: number },
): Proposal {
  const { pods, resource, target } = asked;
  if (pods.length === 0) throw new Error(NO_PODS);
  return proposalFrom(metrics, resource, asked, {
    ratioOf(counted) {
      const used = [...counted.values()].reduce((sum, { milli }) => sum + milli, 0);
      const usage = Math.trunc(used / counted.size);
      return { ratio: usage / target, usage };
    },
    missing: () => target,
  });
}

const isReady = ({ status }: DeepReadonly<Pod>): boolean =>
  status?.phase === 'Running' && status.conditions?.some(c => c.type === 'Ready' && c.status === 'True') === true;

/** To an amount for all of them together. @throws Error */
export function totalReplicas(usage: number, asked: Selected & { readonly target: number }): Proposal {
  const { currentReplicas, tolerances, pods, target } = asked;
  const ratio = usage / target;
  if (currentReplicas === 0) return { replicas: count(ratio), usage };
  if (isWithin(ratio, tolerances)) return { replicas: currentReplicas, usage };
  if (pods.length === 0) throw new Error(`unable to calculate ready pods: ${NO_PODS}`);
  return { replicas: count(ratio * pods.filter(isReady).length), usage };
}

/** To an amount for each, of what is measured for all of them together. */
export function sharedReplicas(
  usage: number,
  {
    statusReplicas,
    tolerances,
    target,
  }: { readonly statusReplicas: number; readonly tolerances: Tolerances; readonly target: number },
): Proposal {
  const ratio = usage / (target * statusReplicas);
  return {
    replicas: isWithin(ratio, tolerances) ? statusReplicas : count(usage / target),
    usage: Math.ceil(usage / Math.max(1, statusReplicas)),
  };
}
