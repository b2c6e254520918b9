import type { Logger } from '../machinery/logger.js';
import type { Clock } from '../machinery/clock.js';
import type { Random } from '../machinery/random.js';
import { isStatusError } from '../machinery/status.js';
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.js';
import { EVENTS } from '../client/resources.js';
import type { Client, InformerFactory } from '../client/types.js';
import { createWorkQueue } from '../machinery/work-queue.js';
import type { CoreEvent } from '../machinery/types.js';
import type { ControllerDefinition, ControllerOptions } from './controller.js';

export interface RunControllersOptions {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly options: ControllerOptions;
}

/** Builds the controllers over shared informers, waits for the caches, then works their queues until the signal aborts. */
export async function runControllers(
  definitions: readonly ControllerDefinition[],
  { client, informers, clock, random, log, options }: RunControllersOptions,
  signal: AbortSignal,
): Promise<void> {
  const recorders = new Map<string, EventRecorder>();
  const recorder = (component: string): EventRecorder => {
    let found = recorders.get(component);
    if (found === undefined) {
      const onError = (error: Error): void => log.warn({ component, error: error.message }, 'event not recorded');
      found = createEventRecorder({ events: client.resource<CoreEvent>(EVENTS), clock, component, onError });
      recorders.set(component, found);
    }
    return found;
  };
  const built = definitions.map(definition => {
    const { retry } = definition;
    const delays = retry === undefined ? {} : { baseDelayMs: retry.baseMs, maxDelayMs: retry.maxMs };
    const queue = createWorkQueue({ clock, name: definition.name, ...delays });
    const reconciler = definition.build({ client, informers, clock, random, options, log, queue, signal, recorder });
    return { definition, queue, reconciler };
  });
  informers.start(signal);
  await informers.whenSynced(signal);
  await Promise.all(
    built.map(async ({ definition, queue, reconciler }) => {
      const failed = (key: string, error: Error): void => {
        // A conflict means the cache was behind; the retry sees the newer object.
        if (isStatusError(error, 'Conflict')) return;
        log.warn({ controller: definition.name, key, error: error.message }, 'reconcile failed, will retry');
      };
      await Promise.all([
        queue.run(definition.workers, key => reconciler.reconcile(key), failed, signal),
        reconciler.background?.(),
      ]);
    }),
  );
  await Promise.all([...recorders.values()].map(r => r.flush()));
}
