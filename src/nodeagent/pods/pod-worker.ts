import { semanticEqual } from '../../machinery/json-equal.js';
import type { NetNamespace } from '../../containers/network/types.js';
import type { Admission } from './admission/admission.js';
import type { PodDependencies } from './dependencies.js';
import { podDisk, type PodDisk } from './disk-usage.js';
import type { RestartBackoff } from './restart-backoff.js';
import type { Failure } from './status/pod-view.js';
import type { ContainerRecord, ReadonlyPod } from './types.js';
import { hasRefreshable } from './volumes/set-up-volumes.js';
import { createWork } from './worker/create-work.js';
import { discardPod, noteDeletion, noteRemoval } from './worker/delete-pod.js';
import { failPod } from './worker/end-pod.js';
import { createPodState, withResources } from './worker/pod-state.js';

/** Runs one Pod from its binding to its end. One per UID. */
export interface PodWorker {
  readonly pod: ReadonlyPod;
  readonly records: readonly ContainerRecord[];
  /** The Pod's network namespace once it has one. */
  readonly network: NetNamespace | undefined;
  update(pod: ReadonlyPod): void;
  /** The Pod is gone from the API: end it without further ado. */
  removed(): void;
  /** The Pod never was: it ends at once, and nobody is told. */
  discard(): void;
  /** Looks again, e.g. because the node got its podCIDR. */
  kick(): void;
  /** The node has agreed to run it, and it has not ended: it takes of the node's resources. */
  readonly active: boolean;
  /** The Pod with the resources that it has been given: a resize that waits takes nothing yet. */
  readonly allocated: ReadonlyPod;
  /** What it has written to the node's disk, as the eviction manager counts it. */
  diskUsage(): PodDisk;
  /** Ends a Pod that is to fail for the node's sake. Resolves when its containers have ended. */
  fail(failure: Failure, graceMs: number): Promise<void>;
  /** Resolves when nothing of the Pod is left on this node. */
  readonly done: Promise<void>;
}

export function createPodWorker(
  first: ReadonlyPod,
  deps: PodDependencies,
  admission: Admission,
  backoff: RestartBackoff,
  stop: AbortSignal,
): PodWorker {
  const state = createPodState(first, deps.clock.now());
  let onEnded: () => void = () => undefined;
  const done = new Promise<void>(resolve => (onEnded = resolve));
  const work = createWork({ state, deps, admission, backoff, stop, onEnded });
  if (state.restarted && !state.finished)
    work.events.normal('SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
  const { kick } = work.wakening;
  // With the agent everything that it runs is gone, as when a node loses its power.
  const powerOff = (): void => {
    for (const { running } of state.records) running?.kill('KILL');
    work.volumes.stop();
  };
  stop.addEventListener('abort', powerOff, { once: true });
  void done.then(() => stop.removeEventListener('abort', powerOff));
  return {
    get pod() {
      return state.pod;
    },
    records: state.records,
    get network() {
      return state.place?.network;
    },
    update(next) {
      const before = state.pod;
      state.pod = next;
      noteDeletion(work, before);
      // The Pod's own metadata shows in downward API volumes as soon as it changes.
      const metadataChanged = !semanticEqual(
        [before.metadata.labels, before.metadata.annotations],
        [next.metadata.labels, next.metadata.annotations],
      );
      if (metadataChanged && hasRefreshable(next)) void work.volumes.refresh();
      kick();
    },
    removed() {
      noteRemoval(work);
      kick();
    },
    discard() {
      discardPod(work);
      kick();
    },
    kick,
    get active() {
      return state.admitted && !state.finished;
    },
    get allocated() {
      return withResources(state);
    },
    diskUsage: () => podDisk(state.pod, state.records, work.volumes.mounted),
    fail: (failure, graceMs) => failPod(work, failure, graceMs),
    done,
  };
}
