import { formatTime } from '../../../machinery/clock.js';
import type { ContainerStatus, DeepReadonly } from '../../../machinery/types.js';
import type { ContainerRecord, ReadonlyContainer, Terminated } from '../types.js';

const time = (ms: number | undefined): { at?: string } => (ms === undefined ? {} : { at: formatTime(ms) });
const containerURI = (id: string): string => (id === '' ? '' : `kubette://${id}`);

function terminatedState(state: Terminated) {
  const { at: startedAt = null } = time(state.startedAt);
  return {
    terminated: {
      exitCode: state.exitCode,
      reason: state.reason,
      ...(state.message === undefined ? {} : { message: state.message }),
      startedAt,
      finishedAt: formatTime(state.finishedAt),
      ...(state.containerID === '' ? {} : { containerID: containerURI(state.containerID) }),
    },
  };
}

function stateOf(state: ContainerRecord['state']) {
  switch (state.kind) {
    case 'waiting':
      return {
        waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) },
      };
    case 'running':
      return { running: { startedAt: formatTime(state.startedAt) } };
    case 'terminated':
      return terminatedState(state);
  }
}

/** The runtime can always do it: what is asked for if possible is done. */
const recursively = (mode: string | undefined): boolean => mode === 'Enabled' || mode === 'IfPossible';

/** The status of one container; `initialized` once all that comes before the main containers has done its part. */
export function containerStatus(
  spec: ReadonlyContainer,
  record: ContainerRecord,
  initialized: boolean,
): ContainerStatus {
  const running = record.state.kind === 'running';
  const succeeded = record.state.kind === 'terminated' && record.state.exitCode === 0;
  const ready = record.kind === 'init' ? succeeded : running && record.started && record.ready;
  const containerID = record.state.kind === 'waiting' ? (record.last?.containerID ?? '') : record.state.containerID;
  const state =
    record.state.kind === 'waiting' &&
    record.state.reason === 'ContainerCreating' &&
    !initialized &&
    record.kind !== 'ephemeral'
      ? { waiting: { reason: 'PodInitializing' } }
      : stateOf(record.state);
  const mounts = (spec.volumeMounts ?? []).map(mount => ({
    name: mount.name,
    mountPath: mount.mountPath,
    ...(mount.readOnly === true
      ? { readOnly: true, recursiveReadOnly: recursively(mount.recursiveReadOnly) ? 'Enabled' : 'Disabled' }
      : {}),
  }));
  const { resources } = record;
  return {
    name: record.name,
    state,
    lastState: record.last === undefined ? {} : terminatedState(record.last),
    ready,
    restartCount: record.restartCount,
    image: record.image,
    imageID: record.imageID,
    ...(containerID === '' ? {} : { containerID: containerURI(containerID) }),
    started: running && record.kind !== 'init' ? record.started : false,
    ...(running
      ? { resources, ...(resources.requests === undefined ? {} : { allocatedResources: resources.requests }) }
      : {}),
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
    ...(running && record.user !== undefined
      ? { user: { linux: { uid: record.user.uid, gid: record.user.gid, supplementalGroups: record.user.groups } } }
      : {}),
  } as ContainerStatus;
}

/** Whether the container's status knows of any run of it, the present one included. */
export const hasRun = (status: DeepReadonly<ContainerStatus> | undefined): boolean =>
  status?.state?.running !== undefined ||
  status?.state?.terminated !== undefined ||
  status?.lastState?.terminated !== undefined;
