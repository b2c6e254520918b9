import type { Informer } from '../../client/types.js';
import type { Pod } from '../../machinery/types.js';
import { createAdmission } from './admission/admission.js';
import type { ContainerRecord, ReadonlyPod } from './types.js';
import type { PodDependencies } from './dependencies.js';
import { runEviction } from './eviction.js';
import { createPodWorker, type PodWorker } from './pod-worker.js';
import { createRestartBackoff } from './restart-backoff.js';
import { addressesOf } from './sandbox.js';
import { isTerminalPhase } from './types.js';

/** All Pods bound to this node. */
export interface PodManager {
  find(namespace: string, name: string): PodWorker | undefined;
  /** A container of a Pod, by name; undefined when either is unknown. */
  container(namespace: string, name: string, container: string): ContainerRecord | undefined;
  list(): readonly PodWorker[];
  /** Looks at every Pod again. */
  kickAll(): void;
  /** Ends at once what runs of Pods that are not to have been. Resolves when nothing of them is left. */
  discard(isDiscarded: (pod: ReadonlyPod) => boolean): Promise<void>;
}

export interface PodManagerOptions {
  readonly informer: Informer<Pod>;
  readonly deps: PodDependencies;
  readonly signal: AbortSignal;
}

/** Runs a worker for every Pod the informer shows. Pods of one name that follow each other have their own workers. */
export function runPodManager({ informer, deps, signal }: PodManagerOptions): PodManager {
  const workers = new Map<string, PodWorker>();
  const byName = new Map<string, PodWorker>();
  const backoff = createRestartBackoff(deps.clock);
  const nameOf = ({ metadata }: ReadonlyPod): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

  const admission = createAdmission({
    node: deps.node,
    admitted: () => [...workers.values()].filter(w => w.active).map(w => w.allocated),
    async preempt(victim, resource) {
      deps.counters.increment('kubelet_preemptions', { preemption_signal: resource });
      const message = 'Preempted in order to admit critical pod';
      deps.recorder.event(
        { kind: 'Pod', apiVersion: 'v1', metadata: victim.metadata },
        'Warning',
        'Preempting',
        message,
      );
      const disruption = 'Pod was preempted by Kubelet to accommodate a critical pod.';
      const seconds = victim.spec?.terminationGracePeriodSeconds ?? 30;
      await workers.get(victim.metadata.uid ?? '')?.fail({ reason: 'Preempting', message, disruption }, seconds * 1000);
    },
  });

  const add = (pod: ReadonlyPod): void => {
    const uid = pod.metadata.uid ?? '';
    const known = workers.get(uid);
    if (known !== undefined) return known.update(pod);
    const worker = createPodWorker(pod, deps, admission, backoff, signal);
    workers.set(uid, worker);
    byName.set(nameOf(pod), worker);
    void worker.done.then(() => {
      workers.delete(uid);
      deps.counters.forget('pod_uid', uid);
      if (byName.get(nameOf(pod)) === worker) byName.delete(nameOf(pod));
    });
    worker.kick();
  };

  informer.addHandler({
    add,
    update(old, pod) {
      if (old.metadata.uid !== pod.metadata.uid) workers.get(old.metadata.uid ?? '')?.removed();
      add(pod);
    },
    delete(pod) {
      workers.get(pod.metadata.uid ?? '')?.removed();
    },
  });

  void runEviction({
    clock: deps.clock,
    signal,
    active: () => [...workers.values()].filter(w => w.active),
    onEvict({ metadata }, { signal: cause, message }) {
      deps.counters.increment('kubelet_evictions', { eviction_signal: cause });
      deps.recorder.event({ kind: 'Pod', apiVersion: 'v1', metadata }, 'Warning', 'Evicted', message);
    },
  });

  return {
    find: (namespace, name) => byName.get(`${namespace}/${name}`),
    container: (namespace, name, container) =>
      byName.get(`${namespace}/${name}`)?.records.find(record => record.name === container),
    list: () => [...workers.values()],
    kickAll: () => {
      for (const worker of workers.values()) worker.kick();
    },
    async discard(isDiscarded) {
      const discarded = [...workers.values()].filter(({ pod }) => isDiscarded(pod));
      for (const worker of discarded) worker.discard();
      await Promise.all(discarded.map(({ done }) => done));
    },
  };
}

/** Addresses of Pods that this node ran before its agent started: they keep them. */
export const addressesInUse = (pods: Iterable<ReadonlyPod>): string[] =>
  [...pods].flatMap(pod =>
    pod.spec?.hostNetwork === true || isTerminalPhase(pod.status?.phase) ? [] : (addressesOf(pod) ?? []),
  );
