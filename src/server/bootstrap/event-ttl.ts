import type { Clock } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { CoreEvent, DeepReadonly } from '../../machinery/types.js';
import { derivedContext } from '../../api/derived-context.js';
import type { Objects, RequestContext } from '../../api/strategy.js';

/** kube-apiserver --event-ttl. */
export const EVENT_TTL_MS = 60 * 60 * 1000;
const SWEEP_MS = 60 * 1000;
/** Deletions between two turns of the event loop. */
const BATCH = 50;

/** Each write of an Event lets it live for another hour: the times of its field managers say when that was. */
function lastWriteMs(event: DeepReadonly<CoreEvent>): number {
  const { creationTimestamp, managedFields } = event.metadata;
  const times = [creationTimestamp, ...(managedFields ?? []).map(entry => entry.time)];
  return times.reduce((last, time) => Math.max(last, time === undefined ? 0 : Date.parse(time)), 0);
}

export interface EventTtlOptions {
  readonly objects: Objects;
  readonly clock: Clock;
  /** Whom the deletions are made as. */
  readonly ctx: RequestContext;
  readonly signal: AbortSignal;
  /** A sweep that failed; the next one comes in a minute. */
  readonly onError: (error: unknown) => void;
}

/** Deletes Events that are older than an hour, once a minute, until the signal. */
export async function runEventTtl(options: EventTtlOptions): Promise<void> {
  const { clock, signal, onError } = options;
  while (!signal.aborted) {
    try {
      await sweep(options);
      await clock.sleep(SWEEP_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await clock.sleep(SWEEP_MS, signal).catch(() => undefined);
    }
  }
}

async function sweep({ objects, clock, ctx, signal }: EventTtlOptions): Promise<void> {
  const before = clock.now() - EVENT_TTL_MS;
  const expired = [...objects.list('events')].filter(event => lastWriteMs(event as DeepReadonly<CoreEvent>) < before);
  for (const [i, { metadata }] of expired.entries()) {
    signal.throwIfAborted();
    try {
      const key = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
      // Upstream's store forgets them by itself.
      await objects.delete(derivedContext(ctx, { unadmitted: true }), 'events', key, { dryRun: false });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
    if (i % BATCH === BATCH - 1) await clock.sleep(0, signal);
  }
}
