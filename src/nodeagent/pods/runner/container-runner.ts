import { formatDuration } from '../../../machinery/duration.js';
import { ended } from '../plan.js';
import { formatPod, type ContainerRecord, type ReadonlyContainer, type Terminated } from '../types.js';
import type { Place, RunnerContext, RunnerOptions } from './runner-context.js';
import { startContainer } from './start-container.js';
import { stopContainer, type StopOptions } from './stop-container.js';

/** Starts and stops the containers of one Pod and keeps their records. */
export interface ContainerRunner {
  /** Starts a container unless it is in back-off; what stands in the way goes into its record. */
  start(record: ContainerRecord, spec: ReadonlyContainer, place: Place): Promise<void>;
  /** Stops a container and resolves when it has ended. */
  stop(record: ContainerRecord, spec: ReadonlyContainer, options: StopOptions): Promise<void>;
  /** No more liveness and startup probes: the Pod is being deleted. */
  stopHealthProbes(): void;
}

export function createContainerRunner(options: RunnerOptions): ContainerRunner {
  const healthProbes = new AbortController();
  const uid = options.pod().metadata.uid ?? '';
  const context: RunnerContext = { ...options, uid, healthProbes: healthProbes.signal };
  const { clock } = options.deps;
  return {
    async start(record, spec, place) {
      const wait = record.retryAt - clock.monotonic();
      if (wait > 0) return options.kickAfter(wait);
      const before = ended(record);
      if (before !== undefined && heldBack(context, record, before)) return;
      await startContainer(context, record, spec, place);
    },
    stop: (record, spec, stopOptions) => stopContainer(context, record, spec, stopOptions),
    stopHealthProbes: () => healthProbes.abort(),
  };
}

/** Whether a container that has ended is in back-off; its record and an Event say so. If not, the next back-off is longer. */
function heldBack(
  { pod, uid, backoff, events, kickAfter }: RunnerContext,
  record: ContainerRecord,
  before: Terminated,
): boolean {
  const key = `${uid}/${record.name}`;
  const remaining = backoff.remaining(key, before.finishedAt);
  if (remaining <= 0) {
    backoff.next(key, before.finishedAt);
    record.last = before;
    return false;
  }
  if (record.state.kind === 'terminated') {
    record.last = record.state;
    const message = `Back-off restarting failed container ${record.name} in pod ${formatPod(pod())}`;
    events.warning('BackOff', message, record);
  }
  if (record.state.kind !== 'waiting' || record.state.reason === 'RunContainerError') {
    const delay = formatDuration(backoff.current(key));
    const message = `back-off ${delay} restarting failed container=${record.name} pod=${formatPod(pod())}`;
    record.state = { kind: 'waiting', reason: 'CrashLoopBackOff', message };
  }
  kickAfter(remaining);
  return true;
}
