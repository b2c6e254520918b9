import type { ContainerStatus, DeepReadonly } from '../../../machinery/types.js';
import { restarts } from '../plan.js';
import { containersOf, type ReadonlyPod } from '../types.js';
import { hasRun } from './container-status.js';

/** kubelet_pods.go getPhase. */
export function podPhase(
  pod: ReadonlyPod,
  statuses: readonly DeepReadonly<ContainerStatus>[],
  finished: boolean,
): string {
  const find = (name: string): DeepReadonly<ContainerStatus> | undefined => statuses.find(s => s.name === name);
  const count = {
    pendingInit: 0,
    failedInit: 0,
    lostInit: 0,
    pendingSidecar: 0,
    waiting: 0,
    running: 0,
    stopped: 0,
    final: 0,
    succeeded: 0,
  };
  for (const { spec, kind } of containersOf(pod)) {
    const { state = {}, lastState = {}, started } = find(spec.name) ?? {};
    const last = lastState.terminated ?? undefined;
    if (kind === 'init') {
      const outcome = state.terminated ?? (state.waiting !== undefined ? last : undefined);
      if (outcome === undefined) count.pendingInit++;
      else if (outcome.exitCode !== 0) {
        count.failedInit++;
        if (!restarts(pod, spec.name, kind, outcome.exitCode)) count.lostInit++;
      }
    } else if (kind === 'sidecar') {
      if (state.running !== undefined) {
        if (started !== true) count.pendingSidecar++;
        count.running++;
      } else if (state.terminated === undefined && last === undefined) {
        count.pendingSidecar++;
        count.waiting++;
      }
    } else if (kind === 'regular') {
      if (state.running !== undefined) count.running++;
      else {
        const outcome = state.terminated ?? last;
        if (outcome === undefined) count.waiting++;
        else {
          count.stopped++;
          if (!restarts(pod, spec.name, kind, outcome.exitCode)) count.final++;
          if (state.terminated?.exitCode === 0) count.succeeded++;
        }
      }
    }
  }
  if (count.lostInit > 0 || (count.failedInit > 0 && finished)) return 'Failed';
  const initialized = (pod.spec?.containers ?? []).some(c => hasRun(find(c.name)));
  if (count.pendingInit > 0 || (count.failedInit > 0 && !initialized) || (count.pendingSidecar > 0 && !initialized))
    return 'Pending';
  if (count.waiting > 0) return 'Pending';
  if (count.running > 0) return 'Running';
  if (count.stopped === 0) return 'Pending';
  if (finished) return count.stopped === count.succeeded ? 'Succeeded' : 'Failed';
  if (count.final < count.stopped) return 'Running';
  return count.stopped === count.succeeded ? 'Succeeded' : 'Failed';
}
