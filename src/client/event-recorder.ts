import { createHash, randomUUID } from 'node:crypto';
import { formatTime, type Clock } from '../machinery/clock.js';
import { isStatusError } from '../machinery/status.js';
import { nameIsDnsSubdomain } from '../machinery/validation/names.js';
import type { CoreEvent, DeepReadonly, KubeObject } from '../machinery/types.js';
import { createEventCorrelator } from './event-correlator.js';
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
  /** Whether one more may be written now; what may not is dropped, as of a queue that is full. Default: all may. */
  readonly mayWrite?: (() => boolean) | undefined;
}

const NANOS_PER_MS = 1_000_000;

/**
 * Clocks here tell milliseconds. What several tell of one object in one of them must not have one name: each has a part of the
 * millisecond of its own.
 */
const partOfMillisecond = (component: string, host = ''): number =>
  createHash('sha256').update(`${component}/${host}`).digest().readUInt32BE(0) % NANOS_PER_MS;

/** Records Events as client-go tools/record: same name scheme (<object>.<hex time>), thinned out by its correlator. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { events, clock, component, host, mayWrite = () => true } = options;
  const correlator = createEventCorrelator(clock);
  let tail: Promise<void> = Promise.resolve();
  const part = partOfMillisecond(component, host);
  let lastNano = 0n;

  const uniqueName = (object: string): string => {
    const nano = BigInt(Math.floor(clock.now())) * BigInt(NANOS_PER_MS) + BigInt(part);
    lastNano = nano > lastNano ? nano : lastNano + 1n;
    const name = `${object}.${lastNano.toString(16)}`;
    // Some objects' names are no names for Events (https://issues.k8s.io/127594).
    return nameIsDnsSubdomain(name, false).length === 0 ? name : randomUUID();
  };

  const countUp = async ({ metadata, count, lastTimestamp, message }: CoreEvent): Promise<CoreEvent | undefined> => {
    const key = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
    try {
      return await events.patch(key, { count, lastTimestamp, message }, { type: 'strategic' });
    } catch (error) {
      // Events expire; the next one starts anew.
      if (isStatusError(error, 'NotFound')) return undefined;
      throw error;
    }
  };
  const write = async (event: CoreEvent): Promise<void> => {
    try {
      const updated = (event.count ?? 1) > 1 ? await countUp(event) : undefined;
      correlator.observed(updated ?? (await events.create(event.metadata.namespace ?? '', event)));
    } catch (error) {
      options.onError(error as Error);
    }
  };

  return {
    event(object, type, reason, message, { fieldPath } = {}) {
      if (!mayWrite()) return;
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
      const now = formatTime(clock.now());
      const correlated = correlator.correlate({
        metadata: { name: uniqueName(involvedObject.name), namespace: metadata.namespace ?? 'default' },
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
      if (correlated !== undefined) tail = tail.then(() => write(correlated));
    },
    flush: () => tail,
  };
}
