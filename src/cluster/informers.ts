import { createInformerFactory } from '../client/informer.js';
import type { Transport } from '../client/transport.js';
import type { InformerFactory } from '../client/types.js';
import type { Clock } from '../machinery/clock.js';
import type { Logger } from '../machinery/logger.js';

/** Informers that say when a watch fails, and go on. */
export const createLoggedInformers = (transport: Transport, clock: Clock, log: Logger): InformerFactory =>
  createInformerFactory({
    transport,
    clock,
    onError: (ref, error) => log.warn({ resource: ref.resource, error: error.message }, 'watch failed, will retry'),
  });
