import { formatTime, type Clock } from '../machinery/clock.js';
import { isStatusError } from '../machinery/status.js';
import type { CoreEvent, DeepReadonly, KubeObject } from '../machinery/types.js';
import type { ResourceClient } from './types.js';

export interface EventRecorder {
  /** Writes an Event about `object` in the background; one that repeats is counted up instead. */
  event(
    object: DeepReadonly<KubeObject>,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options?: { fieldPath?: string },
  ): void;
  /** Resolves when everything recorded so far has been written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly events: ResourceClient<CoreEvent>;
  readonly clock: Clock;
  /** source.component, e.g. "deployment-controller". */
  readonly component: string;
  /** source.host, for the kubelet. */
  readonly host?: string;
  readonly onError: (error: Error) => void;
}

/** Upstream's EventAggregator/Logger keep 4096 entries. */
const MAX_REMEMBERED = 4096;

/** Records Events as client-go tools/record: same name scheme (<object>.<hex time>), repeats bump count. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { events, clock, component, host } = options;
  const seen = new Map<string, CoreEvent>();
  let tail: Promise<void> = Promise.resolve();
  let lastNano = 0n;

  const uniqueSuffix = (): string => {
    const nano = BigInt(Math.round(clock.now() * 1e6));
    lastNano = nano > lastNano ? nano : lastNano + 1n;
    return lastNano.toString(16);
  };

  const write = async (id: string, fresh: () => CoreEvent): Promise<void> => {
    const previous = seen.get(id);
    try {
      if (previous !== undefined) {
        const patch = { count: (previous.count ?? 1) + 1, lastTimestamp: formatTime(clock.now()) };
        const key = { namespace: previous.metadata.namespace ?? '', name: previous.metadata.name ?? '' };
        try {
          seen.set(id, await events.patch(key, patch, { type: 'strategic' }));
          return;
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      }
      const event = fresh();
      seen.delete(id);
      seen.set(id, await events.create(event.metadata.namespace ?? '', event));
      if (seen.size > MAX_REMEMBERED) seen.delete(seen.keys().next().value ?? '');
    } catch (error) {
      options.onError(error as Error);
    }
  };

  return {
    event(object, type, reason, message, { fieldPath } = {}) {
      const { metadata } = object;
      const involvedObject: Record<string, string> & { name: string } = {
        kind: object.kind ?? '',
        apiVersion: object.apiVersion ?? '',
        name: metadata.name ?? '',
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
        ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
        ...(fieldPath === undefined ? {} : { fieldPath }),
      };
      const { kind, namespace, name, uid } = involvedObject;
      const id = JSON.stringify([kind, namespace, name, uid, fieldPath, type, reason, message]);
      const now = formatTime(clock.now());
      const fresh = (): CoreEvent => ({
        metadata: { name: `${involvedObject.name}.${uniqueSuffix()}`, namespace: metadata.namespace ?? 'default' },
        involvedObject,
        reason,
        message,
        type,
        count: 1,
        firstTimestamp: now,
        lastTimestamp: now,
        source: { component, ...(host === undefined ? {} : { host }) },
        reportingComponent: component,
        reportingInstance: host ?? '',
      });
      tail = tail.then(() => write(id, fresh));
    },
    flush: () => tail,
  };
}
