import { ENDPOINT_SLICES, SERVICES } from '../../../src/client/resources.js';
import { realClock } from '../../../src/machinery/clock.js';
import type { EndpointSlice, Service } from '../../../src/machinery/types.js';
import { scaled } from '../api/scale.js';
import { inParallel } from '../timed.js';
import { ms, quantile, type Row } from '../table.js';
import { type BenchCluster, cpuText, measured, startBenchCluster, totalCpu } from './cluster.js';
import { serviceOf, sliceOf } from './objects.js';
import { ruleSyncs } from './rule-syncs.js';

const COUNT = scaled(1_000);
const CHANGES_PER_SECOND = 20;
const CHANGING_S = scaled(15);
const ENDPOINTS = 5_000;
const PER_SLICE = 1_000;
const CHANGES = 20;

/** Many Services, of which some change all the time: from the write until the last of three nodes has loaded its rules. */
async function changingServices(cluster: BenchCluster): Promise<Row[]> {
  const services = cluster.client.resource<Service>(SERVICES);
  await inParallel(COUNT, 16, i => services.create('default', serviceOf(`s${i}`)));
  const syncs = await ruleSyncs(cluster);
  const before = await cluster.cpu();
  const begun = realClock.monotonic();
  const written: Promise<unknown>[] = [];
  for (let i = 0; i < CHANGES_PER_SECOND * CHANGING_S; i++) {
    await realClock.sleep(Math.max(0, begun + (i * 1_000) / CHANGES_PER_SECOND - realClock.monotonic()));
    const patch = { spec: { ports: [{ port: 80, protocol: 'TCP', targetPort: 1_024 + i }] } };
    const key = { namespace: 'default', name: `s${(i * 37) % COUNT}` };
    const at = performance.now();
    written.push(
      services
        .patch(key, patch, { type: 'strategic' })
        .then(({ metadata }) => syncs.expect(`Service default/${key.name}`, metadata.resourceVersion ?? '', at)),
    );
  }
  await Promise.all(written);
  const times = await syncs.all();
  syncs.close();
  const after = await cluster.cpu();
  return [
    {
      what: `${COUNT} Services, ${CHANGES_PER_SECOND} changes a second: rules on 3 nodes, p50 / p99`,
      value: `${ms(quantile(times, 0.5))} / ${ms(quantile(times, 0.99))}`,
    },
    {
      what: '  CPU, of a second',
      value: `${(totalCpu(before, after) / CHANGING_S).toFixed(0)} ms`,
      goal: `in ${CHANGING_S} s: ${cpuText(before, after)}`,
    },
  ];
}

/** One Service with many endpoints, of which one comes and goes. */
async function manyEndpoints(cluster: BenchCluster): Promise<Row[]> {
  const slices = cluster.client.resource<EndpointSlice>(ENDPOINT_SLICES);
  await cluster.client.resource<Service>(SERVICES).create('default', serviceOf('large'));
  const parts = ENDPOINTS / PER_SLICE;
  const syncs = await ruleSyncs(cluster);
  const first = await measured(
    cluster,
    `${ENDPOINTS} endpoints behind one Service: in the rules of 3 nodes`,
    async () => {
      for (let i = 0; i < parts; i++) {
        const at = performance.now();
        const { metadata } = await slices.create('default', sliceOf('large', i, i * PER_SLICE, PER_SLICE));
        syncs.expect(`EndpointSlice default/large-${i}`, metadata.resourceVersion ?? '', at);
      }
      await syncs.all();
    },
  );
  const rows = await measured(
    cluster,
    `  one of them comes or goes, ${CHANGES} times, one after the other`,
    async () => {
      for (let i = 0; i < CHANGES; i++) {
        const at = performance.now();
        const changed = await slices.update(await withOne(slices, i));
        syncs.expect('EndpointSlice default/large-0', changed.metadata.resourceVersion ?? '', at);
        await syncs.all();
      }
    },
  );
  const times = (await syncs.all()).slice(parts);
  syncs.close();
  return [
    ...first,
    ...rows,
    {
      what: '  each: rules on 3 nodes, p50 / slowest',
      value: `${ms(quantile(times, 0.5))} / ${ms(quantile(times, 1))}`,
    },
  ];
}

const withOne = async (slices: ReturnType<BenchCluster['client']['resource']>, i: number): Promise<EndpointSlice> => {
  const slice = (await slices.get({ namespace: 'default', name: 'large-0' })) as unknown as EndpointSlice;
  const full = sliceOf('large', 0, 0, PER_SLICE).endpoints ?? [];
  return { ...slice, endpoints: i % 2 === 0 ? full.slice(1) : full };
};

/** What proxies do at scale, on three nodes with a process each. */
export async function servicesAtScale(): Promise<Row[]> {
  const cluster = await startBenchCluster(['--nodes', '3']);
  try {
    return [...(await changingServices(cluster)), ...(await manyEndpoints(cluster))];
  } finally {
    await cluster.stop();
  }
}
