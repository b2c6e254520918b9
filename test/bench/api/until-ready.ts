import { realClock } from '../../../src/machinery/clock.js';
import type { Endpoint } from './endpoint.js';
import { withConnection } from './pool.js';

const PAUSE_MS = 5;

/** Asks until `/readyz` is answered with 200; fails when `gone` says that the process has ended. */
export async function untilReady(endpoint: Endpoint, gone: () => boolean): Promise<void> {
  while (!(await isReady(endpoint))) {
    if (gone()) throw new Error('the server has ended before it was ready');
    await realClock.sleep(PAUSE_MS);
  }
}

function isReady(endpoint: Endpoint): Promise<boolean> {
  // Refused connections, and refusals until it is ready.
  return withConnection(endpoint, connection => connection.send({ path: '/readyz' })).then(
    () => true,
    () => false,
  );
}
