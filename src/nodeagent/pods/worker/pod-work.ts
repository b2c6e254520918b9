import type { StageRunner } from '../../stages/stage-runner.js';
import type { Admission } from '../admission/admission.js';
import type { PodDependencies } from '../dependencies.js';
import type { PodEvents } from '../pod-events.js';
import type { RestartBackoff } from '../restart-backoff.js';
import type { ContainerRunner } from '../runner/container-runner.js';
import type { StatusWriter } from '../status/status-writer.js';
import type { PodVolumes } from '../volumes/pod-volumes.js';
import type { PodState } from './pod-state.js';
import type { Wakening } from './wakening.js';

/** What every stage of a Pod's worker is given: what is known of the Pod, and what it works with. */
export interface PodWork {
  readonly state: PodState;
  readonly deps: PodDependencies;
  readonly admission: Admission;
  readonly backoff: RestartBackoff;
  readonly events: PodEvents;
  readonly writer: StatusWriter;
  readonly runner: ContainerRunner;
  readonly volumes: PodVolumes;
  readonly stages: StageRunner;
  readonly wakening: Wakening;
  /** Aborts when the agent stops. */
  readonly stop: AbortSignal;
  /** Called when nothing of the Pod is left on this node. */
  readonly onEnded: () => void;
}
