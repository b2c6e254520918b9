import { endOf } from '../../../containers/behaviour/end.js';
import { memoryLimit } from '../cgroup.js';
import { toldUsage } from '../simulated-usage.js';
import type { PodWork } from './pod-work.js';

/** Ends the containers that are told to by now; looks at the Pod again when the next one is. */
export function endAsTold(work: PodWork): void {
  const { state, deps, wakening } = work;
  for (const record of state.records) {
    if (record.running === undefined || record.state.kind !== 'running' || record.stopping) continue;
    const behaviour = deps.behaviours.of(state.pod, record.name);
    const memory = toldUsage(behaviour, record.resources, 'memory') ?? 0;
    const end = endOf(behaviour, record.restartCount, memory > (memoryLimit(record.resources) ?? Infinity));
    if (end === undefined) continue;
    const left = record.state.startedAt + end.afterMs - deps.clock.now();
    if (left > 0) wakening.kickAfter(left);
    else record.running.end(end.how);
  }
}
