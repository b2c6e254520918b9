import type { Addresses } from '../../../containers/network/types.js';
import type { PodStatus } from '../../../machinery/types.js';
import type { PendingResize } from '../resize.js';
import type { ContainerRecord, ReadonlyPod } from '../types.js';

export type Condition = NonNullable<PodStatus['conditions']>[number];

/** Why the agent itself ended a Pod, e.g. DeadlineExceeded. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  /** Message of the condition DisruptionTarget, for Pods that were ended for the sake of others. */
  readonly disruption?: string;
}

/** What the status is made of, beside the spec. */
export interface PodView {
  readonly pod: ReadonlyPod;
  readonly records: readonly ContainerRecord[];
  readonly nodeIPs: Addresses;
  /** None as long as it has none. */
  readonly podIPs: readonly string[];
  readonly startTime: number;
  /** The network namespace and the volumes are there. */
  readonly sandboxReady: boolean;
  /** Nothing will be started any more. */
  readonly finished: boolean;
  /** Shows when the last container has ended, as upstream's status manager has it. */
  readonly failure?: Failure;
  /** Why a resize that was asked for has not been done. */
  readonly pendingResize?: PendingResize;
  readonly now: number;
  /** Conditions as last computed: the API's may lag behind what was written. */
  readonly previous?: readonly Condition[];
}
