import { metered } from '../meter.js';
import { PODS } from '../objects.js';
import { loopOver, openMany } from '../pool.js';
import { RUNS, scaled } from '../scale.js';
import { rate, row, type Scenario } from '../scenario.js';
import { POD_COUNT, podName, withPods } from '../stored.js';

const GETS = scaled(5_000);
const PAGES = scaled(200);

function reads(
  name: string,
  what: string,
  connections: number,
  count: number,
  reach: number,
  path: (i: number) => string,
): Scenario {
  return {
    name,
    rows: [row(name, `${what}, ${connections} connections`, 'per s', reach)],
    runs: RUNS,
    prepare: ({ server }) => withPods(server),
    async run({ server }) {
      const opened = await openMany(server.endpoint, connections);
      await loopOver(opened, Math.ceil(count / 4), i => ({ path: path(i) }));
      const done = await metered(server, () => loopOver(opened, count, i => ({ path: path(i) })));
      for (const connection of opened) connection.close();
      return { [name]: rate(done, count) };
    },
  };
}

const one = (i: number): string => `${PODS}/${podName((i * 7919) % POD_COUNT)}`;

/** What is asked again and again. */
export const READS: readonly Scenario[] = [
  reads('get-32', 'get Pod by name', 32, GETS, 11_000, one),
  reads('get-64', 'get Pod by name', 64, GETS, 11_000, one),
  reads('list-pages', 'list Pods limit=500 over and over', 4, PAGES, 450, () => `${PODS}?limit=500`),
];
