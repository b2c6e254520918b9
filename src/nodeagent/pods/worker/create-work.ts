import { createPodEvents } from '../pod-events.js';
import { createContainerRunner } from '../runner/container-runner.js';
import { createStatusWriter } from '../status/status-writer.js';
import type { ReadonlyPod } from '../types.js';
import { createPodVolumes } from '../volumes/pod-volumes.js';
import { createPodStages } from './follow-stages.js';
import type { PodWork } from './pod-work.js';
import { syncPod } from './sync-pod.js';
import { createWakening } from './wakening.js';

type Given = 'state' | 'deps' | 'admission' | 'backoff' | 'stop' | 'onEnded';

/** Puts together what a Pod's worker works with. */
export function createWork(given: Pick<PodWork, Given>): PodWork {
  const { state, deps, backoff, stop } = given;
  const { clock, log } = deps;
  const { namespace = '', name = '' } = state.pod.metadata;
  const pod = (): ReadonlyPod => state.pod;
  const events = createPodEvents(deps.recorder, pod, () => state.discarded);
  const writer = createStatusWriter({
    pods: deps.pods,
    latest: pod,
    clock,
    signal: stop,
    onError: error =>
      log.warn({ pod: `${namespace}/${name}`, error: error.message }, 'status update failed, will retry'),
  });
  const wakening = createWakening({
    clock,
    name: `pod ${namespace}/${name}`,
    stop,
    look: () => syncPod(work),
    onError: error => log.warn({ err: error, pod: `${namespace}/${name}` }, 'Pod could not be synced, will retry'),
  });
  const { kick, kickAfter } = wakening;
  const runner = createContainerRunner({ deps, pod, records: state.records, events, backoff, kick, kickAfter });
  const volumes = createPodVolumes({ pod, deps, events, kickAfter });
  const stages = createPodStages({ deps, state, events, writer, runner });
  const work: PodWork = { ...given, events, writer, runner, volumes, stages, wakening };
  return work;
}
