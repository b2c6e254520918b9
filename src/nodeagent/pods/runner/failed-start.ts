import { newContainerId, type StartError } from '../../../containers/container.js';
import { ended, restarts } from '../plan.js';
import type { ContainerRecord, Terminated } from '../types.js';
import type { RunnerContext } from './runner-context.js';

const OCI =
  'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ';

/** The container was made, only its process could not be: it has an ID of its own and counts as a run. */
export function failedStart(
  { deps, pod, events, kick }: RunnerContext,
  record: ContainerRecord,
  error: StartError,
): void {
  const message = `${OCI}${error.message}`;
  events.normal('Created', 'Container created', record);
  events.warning('Failed', `Error: ${message}`, record);
  if (error.hint !== undefined) events.warning('NotSimulated', error.hint, record);
  countRestart(record);
  deps.counters.increment('kubelet_started_containers_errors_total', {
    code: 'RunContainerError',
    container_type: typeOf(record),
  });
  const end: Terminated = {
    kind: 'terminated',
    exitCode: 128,
    reason: 'StartError',
    message,
    startedAt: 0,
    finishedAt: deps.clock.now(),
    containerID: newContainerId(),
  };
  if (!restarts(pod(), record.name, record.kind, end.exitCode)) record.state = end;
  else {
    record.last = end;
    record.state = { kind: 'waiting', reason: 'RunContainerError', message };
  }
  kick();
}

/** Every container after a Pod's first of that name is a restart. */
export const runsBefore = (record: ContainerRecord): number =>
  ended(record) === undefined ? record.restartCount : record.restartCount + 1;

export function countRestart(record: ContainerRecord): void {
  record.restartCount = runsBefore(record);
}

/** kuberuntime's metrics.ContainerType: a sidecar is an init container to them. */
export const typeOf = ({ kind }: ContainerRecord): string =>
  kind === 'ephemeral' ? 'ephemeral_container' : kind === 'regular' ? 'container' : 'init_container';
