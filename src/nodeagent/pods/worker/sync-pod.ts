import { graceOf } from '../runner/stop-container.js';
import { containersOf, newRecord } from '../types.js';
import { admitPod } from './admit-pod.js';
import { deletePod } from './delete-pod.js';
import { failPod } from './end-pod.js';
import type { PodWork } from './pod-work.js';
import { preparePod } from './prepare-pod.js';
import { publish } from './publish.js';
import { followStages } from './follow-stages.js';
import { noteBehaviour } from './note-behaviour.js';
import { runContainers } from './run-containers.js';

/** Looks at what there is of a Pod and does what comes next. */
export async function syncPod(work: PodWork): Promise<void> {
  const { state } = work;
  // Containers that end one by one show in the status meanwhile.
  if (state.ending !== undefined) return publish(work);
  if (!state.gone && followStages(work)) return;
  if (state.gone || state.pod.metadata.deletionTimestamp !== undefined) {
    state.ending = deletePod(work);
    return;
  }
  if (state.finishing !== undefined) return publish(work);
  if (state.finished) return;
  if (!state.admitted && !(await admitPod(work))) return;
  if (pastDeadline(work)) return;
  for (const { spec, kind } of containersOf(state.pod))
    if (!state.records.some(r => r.name === spec.name)) state.records.push(newRecord(spec, kind));
  noteBehaviour(work);
  const place = await preparePod(work);
  if (place === undefined) return publish(work);
  await runContainers(work, place);
}

/** Ends a Pod that has been active for longer than it may; one that has time left is looked at again when it is over. */
function pastDeadline(work: PodWork): boolean {
  const { state, deps, events, wakening } = work;
  const deadline = state.pod.spec?.activeDeadlineSeconds;
  if (deadline === undefined) return false;
  const left = state.startTime + deadline * 1000 - deps.clock.now();
  if (left > 0) {
    wakening.kickAfter(left);
    return false;
  }
  const message = 'Pod was active on the node longer than the specified deadline';
  events.normal('DeadlineExceeded', message);
  void failPod(work, { reason: 'DeadlineExceeded', message }, graceOf(state.pod));
  return true;
}
