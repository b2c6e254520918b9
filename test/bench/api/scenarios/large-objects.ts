import { benchFolder } from '../../api-server.js';
import { realClock } from '../../../../src/machinery/clock.js';
import { peakMb, residentMb } from '../meter.js';
import { mapOfSize, MAPS } from '../objects.js';
import { openMany } from '../pool.js';
import { scaled } from '../scale.js';
import { row, type Scenario } from '../scenario.js';
import { createAll, withNamespace } from '../stored.js';
import type { Server } from '../target.js';

const OBJECTS = scaled(10_000);
const BYTES = 100 << 10;
const CLIENTS = 16;
/** Sixteen gigabytes are more than a small machine sends soon: by then each is well on its way. */
const ENOUGH_MS = 20_000;
const what = `${OBJECTS.toLocaleString('en')} objects of 100 KB`;

/** The most memory while so many clients list everything, all at once. */
async function peakOfLists(server: Server, clients: number): Promise<number | undefined> {
  const connections = await openMany(server.endpoint, clients);
  return peakMb(server, async () => {
    const lists = Promise.all(connections.map(connection => connection.send({ path: MAPS })));
    const enough = new AbortController();
    await Promise.race([lists, realClock.sleep(ENOUGH_MS, enough.signal)]);
    enough.abort();
    for (const connection of connections) connection.close();
  });
}

/** An answer's bytes are to be shared: more clients are not to take more memory. */
export const LARGE_OBJECTS: Scenario = {
  name: 'large-objects',
  rows: [
    row('large-objects', `resident memory with ${what}`, 'MB'),
    row('large-objects-1', '  at most while a client lists them', 'MB'),
    row('large-objects-16', `  at most while ${CLIENTS} clients list them`, 'MB'),
  ],
  runs: 1,
  fresh: true,
  async run({ start }) {
    if (start === undefined) throw new Error('large-objects wants a server of its own');
    const server = await start(benchFolder());
    try {
      await withNamespace(server);
      await createAll(server, MAPS, OBJECTS, i => mapOfSize(`large-${i}`, BYTES));
      const stored = residentMb(server) ?? NaN;
      const one = (await peakOfLists(server, 1)) ?? NaN;
      const many = (await peakOfLists(server, CLIENTS)) ?? NaN;
      return {
        'large-objects': { value: stored },
        'large-objects-1': { value: one },
        'large-objects-16': { value: many },
      };
    } finally {
      await server.stop();
    }
  },
};
