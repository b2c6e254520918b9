import type { EventRecorder } from '../../client/event-recorder.js';
import type { ContainerRecord, ReadonlyPod } from './types.js';

export interface PodEvents {
  normal(reason: string, message: string, container?: Pick<ContainerRecord, 'name' | 'kind'>): void;
  warning(reason: string, message: string, container?: Pick<ContainerRecord, 'name' | 'kind'>): void;
}

const LIST = {
  init: 'initContainers',
  sidecar: 'initContainers',
  regular: 'containers',
  ephemeral: 'ephemeralContainers',
};

/** Events about one Pod, the container they concern as fieldPath. Once `silent` says so, nothing is told any more. */
export function createPodEvents(
  recorder: EventRecorder,
  pod: () => ReadonlyPod,
  silent: () => boolean = () => false,
): PodEvents {
  const send = (
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    container?: Pick<ContainerRecord, 'name' | 'kind'>,
  ): void => {
    if (silent()) return;
    recorder.event(
      // Objects of a list carry neither kind nor apiVersion.
      { kind: 'Pod', apiVersion: 'v1', metadata: pod().metadata },
      type,
      reason,
      message,
      container === undefined ? {} : { fieldPath: `spec.${LIST[container.kind]}{${container.name}}` },
    );
  };
  return {
    normal: (reason, message, container) => send('Normal', reason, message, container),
    warning: (reason, message, container) => send('Warning', reason, message, container),
  };
}
