import { quantile } from '../../table.js';
import type { Ask } from '../connection.js';
import { metered } from '../meter.js';
import { PODS } from '../objects.js';
import { withConnection } from '../pool.js';
import { RUNS } from '../scale.js';
import { row, type Figure, type Figures, type Scenario } from '../scenario.js';
import { LABELLED, ON_NODE, POD_COUNT, withPods } from '../stored.js';

const as = (kind: string): string => `application/json;as=${kind};v=v1;g=meta.k8s.io`;
const count = POD_COUNT.toLocaleString('en');

interface List {
  readonly id: string;
  readonly what: string;
  readonly reach: number;
  /** Asked so often in a run; the median counts. */
  readonly times: number;
  readonly ask: Ask;
}

const LISTED: readonly List[] = [
  { id: 'list-json', what: `list ${count} Pods: JSON`, reach: 80, times: 3, ask: { path: PODS } },
  { id: 'list-gzip', what: `list ${count} Pods: gzip`, reach: 120, times: 3, ask: { path: PODS, gzip: true } },
  {
    id: 'list-table',
    what: `list ${count} Pods: Table`,
    reach: 110,
    times: 3,
    ask: { path: PODS, accept: as('Table') },
  },
  {
    id: 'list-metadata',
    what: `list ${count} Pods: metadata only`,
    reach: 60,
    times: 3,
    ask: { path: PODS, accept: as('PartialObjectMetadataList') },
  },
  { id: 'list-limit', what: 'list Pods limit=500', reach: 4, times: 20, ask: { path: `${PODS}?limit=500` } },
  {
    id: 'list-label',
    what: `list Pods by label (${LABELLED} of ${count})`,
    reach: 3,
    times: 20,
    ask: { path: `${PODS}?labelSelector=set%3Dset-7` },
  },
  {
    id: 'list-node',
    what: `list Pods by nodeName (${ON_NODE} of ${count})`,
    reach: 3,
    times: 20,
    ask: { path: `${PODS}?fieldSelector=spec.nodeName%3Dnode-7` },
  },
];

/** One client asks for one list after the other. */
export const LISTS: Scenario = {
  name: 'lists',
  rows: LISTED.map(({ id, what, reach }) => row(id, what, 'ms', reach)),
  runs: RUNS,
  async prepare(target) {
    await withPods(target.server);
    await this.run(target);
  },
  run: ({ server }) =>
    withConnection(server.endpoint, async connection => {
      const figures: Record<string, Figure> = {};
      for (const { id, times, ask } of LISTED) {
        const took: number[] = [];
        const done = await metered(server, async () => {
          for (let i = 0; i < times; i++) {
            const begun = performance.now();
            await connection.send(ask);
            took.push(performance.now() - begun);
          }
        });
        const { cpuMs, driver } = done;
        figures[id] = { value: quantile(took, 0.5), cpuMs: cpuMs === undefined ? undefined : cpuMs / times, driver };
      }
      return figures satisfies Figures;
    }),
};
