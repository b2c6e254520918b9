import type { EventRecorder } from '../client/event-recorder.js';
import type { ResourceClient } from '../client/types.js';
import { isStatusError } from '../machinery/status.js';
import type { DeepReadonly, KubeObject, Pod } from '../machinery/types.js';
import { isNamespaceTerminating } from './pod-template.js';

/** Creates and deletes Pods for an owner, with the events that tell of it (controller_utils.go RealPodControl). */
export interface PodControl {
  /** @throws StatusError */
  create(owner: DeepReadonly<KubeObject>, pod: Pod): Promise<Pod>;
  /** False when it was gone already. @throws StatusError */
  delete(owner: DeepReadonly<KubeObject>, pod: DeepReadonly<Pod>): Promise<boolean>;
}

export function createPodControl(pods: ResourceClient<Pod>, recorder: EventRecorder): PodControl {
  return {
    async create(owner, pod) {
      try {
        const created = await pods.create(owner.metadata.namespace ?? '', pod);
        recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name ?? ''}`);
        return created;
      } catch (error) {
        if (!isNamespaceTerminating(error))
          recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
        throw error;
      }
    },
    async delete(owner, pod) {
      const name = pod.metadata.name ?? '';
      try {
        await pods.delete({ namespace: pod.metadata.namespace ?? '', name });
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return false;
        recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`);
        throw error;
      }
      recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      return true;
    },
  };
}
