import type { Informer } from '../../client/types.js';
import { podRequests } from '../../machinery/pod-requests.js';
import type { KubeObject, Node, Pod } from '../../machinery/types.js';
import { isTerminal } from '../pods.js';
import type { SchedulerCache } from './cache.js';
import type { ClusterEvent, ReadonlyNode, ReadonlyPod } from './plugin.js';
import { schedulingFacts } from './pod-info.js';
import type { SchedulingQueue } from './queue.js';

export interface WatchOptions {
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  /** Kinds whose changes may help a Pod, each with the event that tells of them. */
  readonly others: readonly (readonly [Informer<KubeObject>, ClusterEvent])[];
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  /** Whether a Pod waits for a scheduler of ours. */
  readonly isOurs: (pod: ReadonlyPod) => boolean;
  /** A Pod that waited is gone, or has a node. */
  readonly left: (pod: ReadonlyPod) => void;
  /** A Pod that waits is there, new or changed. */
  readonly waits: (pod: ReadonlyPod) => void;
}

const hasNode = (pod: ReadonlyPod): boolean => (pod.spec?.nodeName ?? '') !== '';

const nodeFacts = ({ metadata, spec, status }: ReadonlyNode): Readonly<Record<string, string>> => ({
  'node/labels': JSON.stringify(metadata.labels ?? {}),
  'node/taints': JSON.stringify([spec?.taints ?? [], spec?.unschedulable ?? false]),
  'node/allocatable': JSON.stringify(status?.allocatable ?? {}),
});

/** Keeps the cache and the queue up with the cluster (eventhandlers.go). */
export function watchCluster({ pods, nodes, others, cache, queue, isOurs, left, waits }: WatchOptions): void {
  const assigned = (pod: ReadonlyPod): boolean => hasNode(pod) && !isTerminal(pod);
  const waiting = (pod: ReadonlyPod): boolean => !hasNode(pod) && !isTerminal(pod) && isOurs(pod);
  const goes = (pod: ReadonlyPod): void => {
    if (assigned(pod)) {
      cache.removePod(pod);
      queue.happened('pod/deleted');
    } else if (waiting(pod)) {
      cache.removePod(pod);
      left(pod);
    }
  };
  const comes = (pod: ReadonlyPod): void => {
    if (assigned(pod)) {
      cache.setPod(pod);
      queue.happened('pod/added');
    } else if (waiting(pod)) waits(pod);
  };
  pods.addHandler({
    add: comes,
    delete: goes,
    update(old, pod) {
      if (assigned(old) && assigned(pod)) {
        const before = schedulingFacts(old);
        cache.setPod(pod);
        if (before === schedulingFacts(pod)) return;
        if (JSON.stringify(old.metadata.labels) !== JSON.stringify(pod.metadata.labels)) queue.happened('pod/labels');
        if (JSON.stringify(podRequests(old)) !== JSON.stringify(podRequests(pod))) queue.happened('pod/resized');
      } else if (waiting(old) && waiting(pod)) waits(pod);
      else {
        if (waiting(old)) left(old);
        else goes(old);
        comes(pod);
      }
    },
  });
  nodes.addHandler({
    add(node) {
      cache.setNode(node);
      queue.happened('node/added');
    },
    update(old, node) {
      cache.setNode(node);
      const before = nodeFacts(old);
      for (const [event, facts] of Object.entries(nodeFacts(node)))
        if (before[event] !== facts) queue.happened(event as ClusterEvent);
    },
    delete(node) {
      cache.removeNode(node.metadata.name ?? '');
      queue.happened('node/deleted');
    },
  });
  for (const [informer, event] of others) {
    const changed = (): void => queue.happened(event);
    informer.addHandler({ add: changed, update: changed, delete: changed });
  }
}
