import type { NetNamespace } from '../../../containers/network/types.js';
import type { ProcessTable } from '../../../containers/process.js';
import type { PodDependencies } from '../dependencies.js';
import type { PodEvents } from '../pod-events.js';
import type { RestartBackoff } from '../restart-backoff.js';
import type { ContainerRecord, ReadonlyPod } from '../types.js';
import type { SetUpVolumes } from '../volumes/set-up-volume.js';

/** Where the containers of a Pod are started. */
export interface Place {
  readonly network: NetNamespace;
  /** What all containers of the Pod have in common. */
  readonly processes: ProcessTable | undefined;
  readonly volumes: SetUpVolumes;
  /** Aborts when the Pod is to be ended. */
  readonly signal: AbortSignal;
}

export interface RunnerOptions {
  readonly deps: PodDependencies;
  readonly pod: () => ReadonlyPod;
  readonly records: readonly ContainerRecord[];
  readonly events: PodEvents;
  readonly backoff: RestartBackoff;
  /** Something changed: look at the Pod again. */
  readonly kick: () => void;
  readonly kickAfter: (ms: number) => void;
}

/** What starting, probing and stopping the containers of one Pod have in common. */
export interface RunnerContext extends RunnerOptions {
  readonly uid: string;
  /** Aborts when liveness and startup no longer matter. */
  readonly healthProbes: AbortSignal;
}
