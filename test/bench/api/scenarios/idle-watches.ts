import { realClock } from '../../../../src/machinery/clock.js';
import { benchFolder } from '../../api-server.js';
import { residentMb } from '../meter.js';
import { MAPS } from '../objects.js';
import { scaled } from '../scale.js';
import { row, type Scenario } from '../scenario.js';
import { withNamespace } from '../stored.js';
import { Watchers } from '../watchers.js';

const WATCHES = scaled(10_000);
/** Time to put away what the handshakes took. */
const SETTLE_MS = 5_000;

/** As many watches as a large cluster has, on which nothing comes. A connection each: of HTTP/1.1 there is no other way. */
export const IDLE_WATCHES: Scenario = {
  name: 'idle-watches',
  rows: [row('idle-watches', `resident memory of ${WATCHES.toLocaleString('en')} idle watches`, 'MB', 400)],
  runs: 1,
  fresh: true,
  async run({ start }) {
    if (start === undefined) throw new Error('it wants a server of its own');
    const server = await start(benchFolder());
    await withNamespace(server);
    const watchers = Watchers.start();
    try {
      await watchers.open(server.endpoint, WATCHES, `${MAPS}?watch=1&resourceVersion=0`);
      await realClock.sleep(SETTLE_MS);
      return { 'idle-watches': { value: residentMb(server) ?? NaN } };
    } finally {
      await watchers.stop();
      await server.stop();
    }
  },
};
