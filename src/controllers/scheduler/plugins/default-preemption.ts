import type { EventRecorder } from '../../../client/event-recorder.js';
import { splitKey, type Indexer, type ResourceClient } from '../../../client/types.js';
import { formatTime, type Clock } from '../../../machinery/clock.js';
import { isStatusError } from '../../../machinery/status.js';
import type { Pod, PodDisruptionBudget } from '../../../machinery/types.js';
import type { Snapshot } from '../cache.js';
import { describe } from '../fit-error.js';
import type { PostFilter } from '../framework.js';
import type { Nominator } from '../nominator.js';
import { unresolvable, type NodeInfo, type PodInfo, type Rejection } from '../plugin.js';
import { leastHarm, selectVictims, type Candidate } from './preemption-victims.js';

export interface PreemptionOptions {
  readonly snapshot: Snapshot;
  readonly nominator: Nominator;
  readonly budgets: Indexer<PodDisruptionBudget>;
  readonly cached: Indexer<Pod>;
  readonly pods: ResourceClient<Pod>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told of Pods that may be tried again; `onlyGated`: unless they wait for an event anyway. */
  readonly recheck: (id: string, onlyGated: boolean) => void;
  readonly onError: (pod: PodInfo, error: Error) => void;
}

/** On large clusters a tenth of the nodes is looked at, and so many at least. */
const MIN_CANDIDATES = 100;

const isBeingPreempted = ({ pod }: PodInfo): boolean =>
  pod.metadata.deletionTimestamp !== undefined &&
  (pod.status?.conditions ?? []).some(
    ({ type, status, reason }) =>
      type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
  );

/**
 * Makes room for a Pod by taking less important ones away: the least harm, with regard to disruption budgets where that
 * is possible. The Pod is promised the node and tried again when they are gone.
 */
export function defaultPreemption(options: PreemptionOptions): PostFilter {
  const { snapshot, nominator, budgets, cached, pods, events, clock, random } = options;
  /** Pods that victims are being deleted for. */
  const preempting = new Set<string>();

  const preempt = async (preemptor: PodInfo, victim: PodInfo, node: string): Promise<void> => {
    const key = splitKey(victim.key);
    const { uid, generation } = victim.pod.metadata;
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${preemptor.pod.spec?.schedulerName ?? ''}: preempting to accommodate a higher priority pod`,
      lastProbeTime: null,
      lastTransitionTime: formatTime(clock.now()),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
    try {
      const patch = { metadata: { uid }, status: { conditions: [condition] } };
      await pods.patch(key, patch, { type: 'strategic', subresource: 'status' });
      await pods.delete(key, uid === undefined ? {} : { preconditions: { uid } });
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return;
      throw error;
    }
    const by = preemptor.pod.metadata.uid ?? '';
    events.event(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${by} on node ${node}`);
  };
  /** Lesser Pods that were promised the node look for another one. */
  const takeBackPromises = async (preemptor: PodInfo, node: string): Promise<void> => {
    for (const other of nominator.of(node).filter(({ priority }) => priority < preemptor.priority)) {
      nominator.set(other, '');
      const patch = { status: { nominatedNodeName: null } };
      await pods.patch(splitKey(other.key), patch, { type: 'strategic', subresource: 'status' });
      options.recheck(other.id, false);
    }
  };
  const carryOut = async (preemptor: PodInfo, { node, victims }: Candidate): Promise<void> => {
    const running = victims.filter(({ pod }) => pod.metadata.deletionTimestamp === undefined);
    if (running.length === 0) return;
    preempting.add(preemptor.id);
    try {
      await takeBackPromises(preemptor, node);
      await Promise.all(running.map(victim => preempt(preemptor, victim, node)));
    } finally {
      preempting.delete(preemptor.id);
      // A victim that went at once was not waited for.
      options.recheck(
        preemptor.id,
        running.every(({ key, id }) => cached.get(key)?.metadata.uid === id),
      );
    }
  };

  const whyNotEligible = (
    { pod, id, priority }: PodInfo,
    statuses: ReadonlyMap<string, Rejection>,
  ): string | undefined => {
    if (pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
    const nominated = nominator.nodeOf(id);
    const node = nominated === '' ? undefined : snapshot.node(nominated);
    if (node === undefined || statuses.get(nominated)?.code === 'unresolvable') return undefined;
    return [...node.pods.values()].some(other => other.priority < priority && isBeingPreempted(other))
      ? 'not eligible due to a terminating pod on the nominated node.'
      : undefined;
  };

  return {
    name: 'DefaultPreemption',
    preEnqueue: id => (preempting.has(id) ? 'waiting for the preemption for this pod to be finished' : undefined),
    postFilter(framework, cycle, pod, diagnosis) {
      const why = whyNotEligible(pod, diagnosis.byNode);
      if (why !== undefined) return { message: `preemption: ${why}` };
      const nodes = snapshot.nodes();
      const statusOf = ({ name }: NodeInfo): Rejection | undefined => diagnosis.byNode.get(name) ?? diagnosis.others;
      const possible = cycle === undefined ? [] : nodes.filter(node => statusOf(node)?.code === 'unschedulable');
      const enough = Math.max(MIN_CANDIDATES, Math.trunc(possible.length / 10));
      const byNode = new Map<string, Rejection>();
      const candidates: Candidate[] = [];
      const start = Math.trunc(random() * possible.length);
      for (let i = 0; i < possible.length && cycle !== undefined; i++) {
        const node = possible[(start + i) % possible.length] as NodeInfo;
        const found = selectVictims(framework, cycle, pod, node, [...budgets.list()]);
        if ('code' in found) byNode.set(node.name, found);
        else candidates.push(found);
        if (candidates.length >= enough && candidates.some(({ violations }) => violations === 0)) break;
      }
      const best = leastHarm(candidates);
      if (best === undefined) {
        const others = unresolvable('Preemption is not helpful for scheduling');
        const text = describe({ nodes: nodes.length, byNode, others, plugins: new Set() });
        return { nominated: '', message: `preemption: ${text}` };
      }
      carryOut(pod, best).catch((error: unknown) => options.onError(pod, error as Error));
      return { nominated: best.node };
    },
  };
}
