import { isStatusError } from '../../../machinery/status.js';
import { graceOf } from '../runner/stop-container.js';
import type { ReadonlyPod } from '../types.js';
import { endContainers } from './end-pod.js';
import type { PodWork } from './pod-work.js';

const RETRY_MS = 1_000;
/** worker calculateEffectiveGracePeriod: never less than a second, so that containers see SIGTERM. */
const MIN_GRACE_MS = 1_000;

/** Ends a Pod that is being deleted, and removes it from the API. */
export async function deletePod(work: PodWork): Promise<void> {
  const { state, backoff } = work;
  const graceMs = graceNow(state.pod);
  // Containers that are being stopped already have until then and no longer.
  if (state.finishing !== undefined && !state.finished) forceAfter(work, graceMs);
  await endContainers(work, graceMs, 'the Pod is being deleted');
  backoff.forget(`${state.pod.metadata.uid ?? ''}/`);
  await confirm(work);
  work.onEnded();
}

/** Says that nothing of the Pod is left here, until the API has heard it or the Pod is gone anyway. */
async function confirm({ state, deps, writer, stop }: PodWork): Promise<void> {
  const { uid = '', namespace = '', name = '' } = state.pod.metadata;
  while (!state.gone && !stop.aborted) {
    await writer.flush();
    try {
      await deps.pods.delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    } catch (error) {
      if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return;
      const fields = { pod: `${namespace}/${name}`, error: (error as Error).message };
      deps.log.warn(fields, 'deletion not confirmed, will retry');
      await deps.clock.sleep(RETRY_MS, stop, { work: true }).catch(() => undefined);
    }
  }
}

/** The Pod has been updated: a deletion may have begun, or its grace period may be shorter now. */
export function noteDeletion(work: PodWork, before: ReadonlyPod): void {
  const { state } = work;
  const { deletionTimestamp, deletionGracePeriodSeconds: now } = state.pod.metadata;
  if (state.ending === undefined) {
    if (deletionTimestamp !== undefined) state.life.abort(new Error('the Pod is being deleted'));
    return;
  }
  const was = before.metadata.deletionGracePeriodSeconds;
  if (was !== undefined && now !== undefined && now < was) forceAfter(work, now * 1000);
}

/** The Pod is gone from the API: nobody waits for its containers any more. */
export function noteRemoval(work: PodWork): void {
  const { state } = work;
  state.gone = true;
  state.life.abort(new Error('the Pod is gone'));
  if (state.ending !== undefined) forceAfter(work, MIN_GRACE_MS);
}

/** The Pod never was: whatever runs of it ends at once, and nobody is told. */
export function discardPod(work: PodWork): void {
  const { state } = work;
  state.discarded = true;
  noteRemoval(work);
  state.force.abort();
  for (const { running } of state.records) running?.kill('KILL');
}

function graceNow(pod: ReadonlyPod): number {
  const seconds = pod.metadata.deletionGracePeriodSeconds;
  return Math.max(MIN_GRACE_MS, seconds === undefined ? graceOf(pod) : seconds * 1000);
}

function forceAfter({ state, deps }: PodWork, ms: number): void {
  deps.clock.after(Math.max(MIN_GRACE_MS, ms), () => state.force.abort());
}
