import t from 'tap';
import { readSamples, type NodeSample } from '../../../src/metrics/samples.js';
import { createUsageStore } from '../../../src/metrics/usage-store.js';

const text = (cpu: number, memory: number, atMs: number, startedMs = 1_000_000): string => `# HELP x
container_cpu_usage_seconds_total{container="c",namespace="ns",pod="p"} ${cpu} ${atMs}
container_memory_working_set_bytes{container="c",namespace="ns",pod="p"} ${memory} ${atMs}
container_start_time_seconds{container="c",namespace="ns",pod="p"} ${startedMs / 1000}
node_cpu_usage_seconds_total ${cpu * 2} ${atMs}
node_memory_working_set_bytes ${memory * 2} ${atMs}
`;
const round = (...args: Parameters<typeof text>): Map<string, NodeSample> =>
  new Map([['node-1', readSamples(text(...args), 0)]]);

t.test('what a node says is read line by line', async t => {
  const sample = readSamples(text(3, 4096, 2_000_000), 0);
  t.strictSame(sample.node, { atMs: 2_000_000, startedMs: undefined, cpuSeconds: 6, memoryBytes: 8192 });
  t.strictSame(sample.pods.get('ns/p')?.get('c'), {
    atMs: 2_000_000,
    startedMs: 1_000_000,
    cpuSeconds: 3,
    memoryBytes: 4096,
  });
  const rows: [string, string, boolean][] = [
    ['no value', 'node_cpu_usage_seconds_total', false],
    ['no number', 'node_cpu_usage_seconds_total x', false],
    ['below zero', 'node_cpu_usage_seconds_total -1', false],
    ['infinite', 'node_cpu_usage_seconds_total +Inf', false],
    ['a line without end', `node_cpu_usage_seconds_total{a="${'x'.repeat(10_000)}"} 1`, false],
    ['labels that are none', 'node_cpu_usage_seconds_total{a} 1', false],
    ['a quoted brace', 'node_cpu_usage_seconds_total{a="}\\"{"} 1', true],
    ['no time', 'node_cpu_usage_seconds_total 1', true],
  ];
  for (const [name, line, expect] of rows)
    t.equal(readSamples(`${line}\nnode_memory_working_set_bytes 1\n`, 7).node !== undefined, expect, name);
  const half = 'container_cpu_usage_seconds_total{container="b",namespace="ns",pod="p"} 1 5\n';
  t.equal(readSamples(text(1, 1, 5) + half, 0).pods.has('ns/p'), false, 'a Pod of which not all is known is left out');
});

t.test('rates are of the last two samples', async t => {
  const store = createUsageStore(15_000);
  store.take(round(10, 4096, 2_000_000));
  t.equal(store.pod('ns/p'), undefined, 'one sample is no rate');
  t.equal(store.hasNodes, false);
  store.take(round(13, 8192, 2_015_000));
  t.strictSame(store.pod('ns/p')?.get('c'), {
    atMs: 2_015_000,
    windowMs: 15_000,
    nanoCores: 200_000_000,
    memoryBytes: 8192,
  });
  t.equal(store.node('node-1')?.nanoCores, 400_000_000);
  store.take(round(1, 4096, 2_030_000, 2_000_000));
  t.equal(store.pod('ns/p'), undefined, 'a container that was started anew counts from nothing');
  store.take(new Map());
  t.equal(store.node('node-1'), undefined, 'a node that does not answer is not told of');
});

t.test('a container that has just been started is judged from its start', async t => {
  const store = createUsageStore(15_000);
  store.take(round(2, 4096, 2_000_000, 1_990_000));
  t.equal(store.pod('ns/p')?.get('c')?.nanoCores, 200_000_000);
});
