import { publish } from './publish.js';
import type { PodWork } from './pod-work.js';

/** Asks whether the node runs the Pod. False: it does not, and the status says why. */
export async function admitPod(work: PodWork): Promise<boolean> {
  const { state, admission, events, deps } = work;
  const rejection = await admission.admit(state.pod, () => (state.admitted = true));
  if (rejection === undefined) return true;
  events.warning(rejection.reason, rejection.message);
  const counted = rejection.reason.includes('/') ? 'OutOfExtendedResources' : rejection.reason;
  deps.counters.increment('kubelet_admission_rejections_total', { reason: counted });
  state.failure = rejection;
  state.rejected = true;
  state.finished = true;
  publish(work);
  return false;
}
