import { quantile } from '../../table.js';
import { startLoad } from '../load.js';
import { metered } from '../meter.js';
import { configMap, MAPS, PODS } from '../objects.js';
import { loopOver, openMany } from '../pool.js';
import { RUNS, scaled } from '../scale.js';
import { rate, row, type Scenario } from '../scenario.js';
import { withPods } from '../stored.js';

const CLIENTS = 16;
const POLLERS = 2;
const WRITES = scaled(1_500);
/** No index helps: each Pod is looked at, none is sent. */
const UNINDEXED = `${PODS}?labelSelector=app%21%3Dweb%2Capp%21%3Dcreated`;

let serial = 0;

/** Writers of small objects, while somebody asks for what has to be searched for among many. */
export const BESIDE_LISTS: Scenario = {
  name: 'beside-lists',
  rows: [
    row('beside-lists', `create ConfigMap, ${CLIENTS} clients, beside ${POLLERS} that poll unindexed lists`, 'per s'),
    row('beside-lists-p99', '  p99 of a create', 'ms'),
    row('beside-lists-polls', '  lists meanwhile', 'per s'),
  ],
  runs: RUNS,
  prepare: ({ server }) => withPods(server),
  async run({ server }) {
    const load = await startLoad({ endpoint: server.endpoint, clients: POLLERS, ask: { path: UNINDEXED } });
    const connections = await openMany(server.endpoint, CLIENTS);
    const before = load.answered();
    const done = await metered(server, () =>
      loopOver(connections, WRITES, () => ({ method: 'POST', path: MAPS, body: configMap(`beside-${serial++}`) })),
    );
    const polls = load.answered() - before;
    for (const connection of connections) connection.close();
    await load.stop();
    return {
      'beside-lists': rate(done, WRITES),
      'beside-lists-p99': { value: quantile(done.result.latencies, 0.99) },
      'beside-lists-polls': { value: (polls / done.tookMs) * 1000 },
    };
  },
};
