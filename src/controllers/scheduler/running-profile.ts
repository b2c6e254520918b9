import type { EventRecorder } from '../../client/event-recorder.js';
import type { Framework, PostFilter } from './framework.js';
import type { ReadonlyPod } from './pod-info.js';

/** A profile of this scheduler, with what its plugins know of the cluster. */
export interface RunningProfile {
  readonly framework: Framework;
  readonly postFilter: PostFilter;
  readonly events: EventRecorder;
}

/** Why a Pod is not to be tried yet; undefined: it is. */
export function gateOf({ framework, postFilter }: RunningProfile, pod: ReadonlyPod): string | undefined {
  for (const plugin of framework.plugins) {
    const why = plugin.preEnqueue?.(pod);
    if (why !== undefined) return why;
  }
  return postFilter.preEnqueue(pod.metadata.uid ?? '');
}
