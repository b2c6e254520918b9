import type { RunningContainer } from '../../containers/container.js';
import type { Clock } from '../../machinery/clock.js';
import type { NetNamespace } from '../../containers/network/types.js';
import { NetworkError } from '../../containers/network/errors.js';
import type { ReadonlyContainer } from '../pods/types.js';

/** `error`: the probe itself could not be run; the result is thrown away. A warning is a success with an Event. */
export interface ProbeResult {
  readonly outcome: 'success' | 'warning' | 'failure' | 'error';
  readonly output: string;
}

export interface ProbeTarget {
  readonly container: RunningContainer;
  readonly spec: ReadonlyContainer;
  readonly podIP: string;
  /** The node's own namespace: that is where the kubelet probes from. */
  readonly network: NetNamespace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export const failure = (output: string): ProbeResult => ({ outcome: 'failure', output });

export const success = (output = ''): ProbeResult => ({ outcome: 'success', output });

export const broken = (output: string): ProbeResult => ({ outcome: 'error', output });

/** Go's words for a connection that could not be made. */
export function dialError(error: unknown, at: string): string {
  if (error instanceof NetworkError) return `dial tcp ${at}: connect: ${error.text.toLowerCase()}`;
  return `dial tcp ${at}: i/o timeout`;
}
