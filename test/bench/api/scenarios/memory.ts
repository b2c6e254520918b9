import { realClock } from '../../../../src/machinery/clock.js';
import { residentMb } from '../meter.js';
import { row, type Scenario } from '../scenario.js';
import { POD_COUNT, withPods } from '../stored.js';
import type { Server } from '../target.js';

/** Time to put away what a moment before was in use. */
const SETTLE_MS = 3_000;

async function settled(server: Server): Promise<number> {
  await realClock.sleep(SETTLE_MS);
  return residentMb(server) ?? NaN;
}

/** The first of the suite, so that what others leave behind is not in it. */
export const MEMORY: Scenario = {
  name: 'memory',
  rows: [
    row('memory-empty', 'resident memory: empty', 'MB', 75),
    row('memory-pods', `  with ${POD_COUNT.toLocaleString('en')} Pods of 4.7 KB`, 'MB', 200),
  ],
  runs: 1,
  async run({ server }) {
    const empty = await settled(server);
    await withPods(server);
    return { 'memory-empty': { value: empty }, 'memory-pods': { value: await settled(server) } };
  },
};

/** The last. */
export const MEMORY_AFTER: Scenario = {
  name: 'memory-after',
  rows: [row('memory-after', 'resident memory after all of these rows', 'MB', 300)],
  runs: 1,
  run: async ({ server }) => ({ 'memory-after': { value: await settled(server) } }),
};
