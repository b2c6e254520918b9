import { Cluster, type ClusterOptions } from '../../src/testing/index.js';
import { memoryOf } from './memory.js';
import { ms, quantile, type Row } from './table.js';
import { timed } from './timed.js';

/** So many starts, of which the first, whose code nothing has warmed, is told by itself. */
const STARTS = 8;
const RESETS = 9;
const SIDE_BY_SIDE = 20;

const median = (values: readonly number[]): string => ms(quantile(values, 0.5));

const deployment = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
  },
});

async function starts(options: ClusterOptions): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const { took: ready, result } = await timed(() => Cluster.create(options));
    took.push(ready);
    await result.stop();
  }
  return took;
}

async function resets(cluster: Cluster, spoil: () => Promise<void>): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < RESETS; i++) {
    await spoil();
    took.push((await timed(() => cluster.reset())).took);
  }
  return took;
}

async function resetRows(): Promise<Row[]> {
  const cluster = await Cluster.create({ nodes: 2 });
  try {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } };
    const plain = await resets(cluster, () => cluster.apply([map]).then(() => undefined));
    const pods = await resets(cluster, async () => {
      await cluster.apply([deployment(3)]);
      await cluster.waitFor('deployment/web', 'Available');
    });
    return [
      { what: `testing: reset, median of ${RESETS}`, value: median(plain), goal: 'goal: at most 20 ms' },
      { what: 'testing: reset of a Deployment with 3 Pods', value: median(pods), goal: 'goal: at most 20 ms' },
    ];
  } finally {
    await cluster.stop();
  }
}

/** As many test files that run at once in one process would have. */
async function sideBySide(): Promise<Row[]> {
  const before = memoryOf(process.pid).rss;
  const { took, result: clusters } = await timed(() =>
    Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => Cluster.create({ apiServerOnly: true }))),
  );
  const each = (memoryOf(process.pid).rss - before) / SIDE_BY_SIDE;
  await Promise.all(clusters.map(cluster => cluster.stop()));
  return [
    { what: `testing: ${SIDE_BY_SIDE} API servers side by side, all ready`, value: ms(took) },
    { what: 'testing: memory of each', value: `${each.toFixed(1)} MB` },
  ];
}

/** What the authors of tests wait for. */
export async function testClusters(): Promise<Row[]> {
  const [firstApi = NaN, ...api] = await starts({ apiServerOnly: true });
  const [, ...whole] = await starts({ nodes: 2 });
  return [
    { what: 'testing: API server, the first of a process', value: ms(firstApi) },
    { what: `testing: API server, median of ${api.length} more`, value: median(api), goal: 'goal: under 300 ms' },
    {
      what: `testing: with controllers and two nodes, median of ${whole.length}`,
      value: median(whole),
      goal: 'goal: under 800 ms',
    },
    ...(await resetRows()),
    ...(await sideBySide()),
  ];
}
