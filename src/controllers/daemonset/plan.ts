import type { DaemonSet } from '../../machinery/types.js';
import { scaledValue } from '../deployment/rolling.js';
import { isAvailable, isDeleting, isReady, isTerminal } from '../pods.js';
import {
  HASH_LABEL,
  isUpdated,
  judgeNode,
  targetNode,
  type NodeVerdict,
  type ReadonlyDaemonSet,
  type ReadonlyNode,
  type ReadonlyPod,
} from './nodes.js';

export type DaemonSetStatus = NonNullable<DaemonSet['status']>;

export interface DaemonSetView {
  readonly set: ReadonlyDaemonSet;
  readonly nodes: readonly ReadonlyNode[];
  readonly verdicts: ReadonlyMap<string, NodeVerdict>;
  /** By node, without Pods that have ended and are being deleted. */
  readonly byNode: ReadonlyMap<string, readonly ReadonlyPod[]>;
  readonly hash: string;
  readonly nowMs: number;
}

export function viewDaemonSet(
  set: ReadonlyDaemonSet,
  nodes: readonly ReadonlyNode[],
  pods: readonly ReadonlyPod[],
  hash: string,
  nowMs: number,
): DaemonSetView {
  const byNode = new Map<string, ReadonlyPod[]>();
  for (const pod of pods) {
    const node = targetNode(pod);
    if (node === undefined || (isTerminal(pod) && isDeleting(pod))) continue;
    byNode.set(node, [...(byNode.get(node) ?? []), pod]);
  }
  const verdicts = new Map(nodes.map(node => [node.metadata.name ?? '', judgeNode(set, node)]));
  return { set, nodes, verdicts, byNode, hash, nowMs };
}

export interface DaemonSetPlan {
  /** Names of nodes that need a Pod. */
  readonly create: readonly string[];
  readonly remove: readonly ReadonlyPod[];
  /** Those of `remove` that ended by themselves. */
  readonly ended: readonly ReadonlyPod[];
}

/** Scheduled ones first, then the oldest (podByCreationTimestampAndPhase). */
const byAge = (a: ReadonlyPod, b: ReadonlyPod): number => {
  const scheduled = (pod: ReadonlyPod): number => ((pod.spec?.nodeName ?? '') === '' ? 1 : 0);
  const [at, bt] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  const names = (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
  return scheduled(a) - scheduled(b) || (at === bt ? names : at < bt ? -1 : 1);
};

const rolling = (set: ReadonlyDaemonSet) => set.spec?.updateStrategy?.rollingUpdate;
const surges = (set: ReadonlyDaemonSet): boolean =>
  set.spec?.updateStrategy?.type !== 'OnDelete' && scaledValue(rolling(set)?.maxSurge, 100, 'up') > 0;

const available = ({ set, nowMs }: DaemonSetView, pod: ReadonlyPod): boolean =>
  isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);

/** Of several running Pods on one node, those that are too many. */
function excess(view: DaemonSetView, running: readonly ReadonlyPod[]): readonly ReadonlyPod[] {
  if (running.length <= 1) return [];
  const sorted = [...running].sort(byAge);
  if (!surges(view.set)) return sorted.slice(1);
  // Two may be there while the new one gets ready, and only then.
  const fresh = sorted.filter(pod => pod.metadata.labels?.[HASH_LABEL] === view.hash);
  const old = sorted.filter(pod => pod.metadata.labels?.[HASH_LABEL] !== view.hash);
  const remove = [...fresh.slice(1), ...old.slice(1)];
  const [newest, oldest] = [fresh[0], old[0]];
  if (newest !== undefined && oldest !== undefined && (!isReady(oldest) || available(view, newest)))
    remove.push(oldest);
  return remove;
}

/** One Pod on every node that should have one, none elsewhere (podsShouldBeOnNode). */
export function planDaemons(view: DaemonSetView): DaemonSetPlan {
  const create: string[] = [];
  const remove: ReadonlyPod[] = [];
  const ended: ReadonlyPod[] = [];
  for (const [node, { run, stay }] of view.verdicts) {
    const pods = view.byNode.get(node) ?? [];
    if (run && pods.length === 0) create.push(node);
    else if (stay) {
      const live = pods.filter(pod => !isDeleting(pod));
      ended.push(...live.filter(isTerminal));
      remove.push(
        ...excess(
          view,
          live.filter(pod => !isTerminal(pod)),
        ),
      );
    } else remove.push(...pods.filter(pod => !isDeleting(pod)));
  }
  // Their node went before they were bound to it; bound ones are the Pod garbage collector's.
  for (const [node, pods] of view.byNode)
    if (!view.verdicts.has(node))
      remove.push(...pods.filter(pod => (pod.spec?.nodeName ?? '') === '' && !isDeleting(pod)));
  return { create, remove: [...remove, ...ended], ended };
}

interface OnNode {
  readonly fresh?: ReadonlyPod;
  readonly old?: ReadonlyPod;
}

/** The updated and the old Pod of a node; undefined when there are two of a sort (findUpdatedPodsOnNode). */
function findOnNode({ set, hash }: DaemonSetView, pods: readonly ReadonlyPod[]): OnNode | undefined {
  const live = pods.filter(pod => !isDeleting(pod));
  const fresh = live.filter(pod => isUpdated(set, pod, hash));
  const old = live.filter(pod => !isUpdated(set, pod, hash));
  if (fresh.length > 1 || old.length > 1) return undefined;
  return {
    ...(fresh[0] === undefined ? {} : { fresh: fresh[0] }),
    ...(old[0] === undefined ? {} : { old: old[0] }),
  };
}

/** What a rolling update may replace now within maxUnavailable or maxSurge (update.go rollingUpdate). */
export function planRollingUpdate(view: DaemonSetView): Pick<DaemonSetPlan, 'create' | 'remove'> {
  const desired = [...view.verdicts.values()].filter(verdict => verdict.run).length;
  const limits = rolling(view.set);
  const maxSurge = scaledValue(limits?.maxSurge, desired, 'up');
  const asked = scaledValue(limits?.maxUnavailable ?? 1, desired, 'up');
  // Nothing could ever be replaced if neither were allowed.
  const maxUnavailable = desired > 0 && asked === 0 && maxSurge === 0 ? 1 : asked;
  return maxSurge === 0 ? replaceWithin(view, maxUnavailable) : surgeWithin(view, maxSurge);
}

function replaceWithin(view: DaemonSetView, maxUnavailable: number): Pick<DaemonSetPlan, 'create' | 'remove'> {
  const broken: ReadonlyPod[] = [];
  const candidates: ReadonlyPod[] = [];
  let unavailable = 0;
  for (const pods of view.byNode.values()) {
    const found = findOnNode(view, pods);
    if (found === undefined || (found.fresh === undefined) === (found.old === undefined)) unavailable++;
    else if (found.fresh !== undefined) unavailable += available(view, found.fresh) ? 0 : 1;
    else if (found.old !== undefined) {
      if (available(view, found.old)) candidates.push(found.old);
      else {
        // Replacing what does not work makes nothing worse, but it is not working until its successor does.
        broken.push(found.old);
        unavailable++;
      }
    }
  }
  return { create: [], remove: [...broken, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))] };
}

function surgeWithin(view: DaemonSetView, maxSurge: number): Pick<DaemonSetPlan, 'create' | 'remove'> {
  const remove: ReadonlyPod[] = [];
  const broken: string[] = [];
  const candidates: string[] = [];
  let surge = 0;
  for (const [node, pods] of view.byNode) {
    const found = findOnNode(view, pods);
    if (found === undefined) surge++;
    else if (found.old === undefined || view.verdicts.get(node)?.run !== true) continue;
    else if (found.fresh === undefined) (available(view, found.old) ? candidates : broken).push(node);
    else if (available(view, found.fresh)) remove.push(found.old);
    else surge++;
  }
  return { create: [...broken, ...candidates.slice(0, Math.max(0, maxSurge - surge))], remove };
}

/** Source: daemon_controller.go updateDaemonSetStatus. Conditions and the collision count are kept. */
export function daemonStatus(view: DaemonSetView, observedGeneration: number): DaemonSetStatus {
  const { set, verdicts, byNode, hash } = view;
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const [node, { run }] of verdicts) {
    const pods = byNode.get(node) ?? [];
    if (run) counts.desired++;
    const pod = [...pods].sort(byAge)[0];
    if (pod === undefined) continue;
    if (!run) {
      counts.misscheduled++;
      continue;
    }
    counts.current++;
    if (isReady(pod)) counts.ready++;
    if (available(view, pod)) counts.available++;
    if (isUpdated(set, pod, hash)) counts.updated++;
  }
  const { collisionCount, conditions } = set.status ?? {};
  return {
    desiredNumberScheduled: counts.desired,
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    updatedNumberScheduled: counts.updated,
    numberAvailable: counts.available,
    numberUnavailable: counts.desired - counts.available,
    observedGeneration,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions: conditions as NonNullable<DaemonSetStatus['conditions']> }),
  };
}
