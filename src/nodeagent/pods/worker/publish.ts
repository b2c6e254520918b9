import { podStatus, rejectedStatus } from '../status/pod-status.js';
import type { PodWork } from './pod-work.js';

/** Has the status written as it now is. */
export function publish({ state, deps, volumes, writer }: PodWork): void {
  const { pod, place, finished, failure, pendingResize, startTime } = state;
  if (state.gone || state.settled || state.staged) return;
  if (state.rejected && failure !== undefined) return writer.write(rejectedStatus(pod, failure, startTime));
  const { nodeIPs, clock } = deps;
  const status = podStatus({
    pod,
    records: state.records,
    nodeIPs,
    podIPs: place?.network.addresses ?? (pod.spec?.hostNetwork === true ? nodeIPs : []),
    startTime,
    sandboxReady: place !== undefined && volumes.mounted !== undefined && !finished,
    finished,
    ...(failure === undefined ? {} : { failure }),
    ...(pendingResize === undefined ? {} : { pendingResize }),
    now: clock.now(),
    previous: state.conditions,
  });
  state.conditions = (status.conditions ?? []).filter(c => c.type !== 'PodScheduled');
  writer.write(status);
}
