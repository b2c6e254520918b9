import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../../../src/client/resources.js';
import { formatTime, realClock } from '../../../src/machinery/clock.js';
import type { EndpointSlice, Node, Pod, Service } from '../../../src/machinery/types.js';
import { scaled } from '../api/scale.js';
import { inParallel } from '../timed.js';
import { ms, quantile, type Row } from '../table.js';
import { cpuText, startBenchCluster, totalCpu } from './cluster.js';
import { idlePod, serviceOf } from './objects.js';
import { ruleSyncs } from './rule-syncs.js';

const SERVICES_COUNT = 100;
const PER_SECOND = 50;
const LASTS_S = scaled(15);
/** A node without an agent: what runs there is what the bench writes. Nobody is to notice. */
const NOWHERE = 'bench-node';
const CONTROLLERS = '*,-pod-garbage-collector-controller,-node-lifecycle-controller';

/**
 * From a Pod's Ready to its Service's EndpointSlice and the rules of three nodes, at many changes a second. The bench
 * writes the Pods' statuses itself: what is measured begins there.
 */
export async function endpointsAtScale(): Promise<Row[]> {
  const cluster = await startBenchCluster(['--nodes', '3', '--controllers', CONTROLLERS]);
  try {
    const { client } = cluster;
    const services = client.resource<Service>(SERVICES);
    const pods = client.resource<Pod>(PODS);
    await client.resource<Node>(NODES).create('', { apiVersion: 'v1', kind: 'Node', metadata: { name: NOWHERE } });
    await inParallel(SERVICES_COUNT, 8, i => services.create('default', serviceOf(`e${i}`, { app: `e${i}` })));
    await inParallel(SERVICES_COUNT, 8, i => pods.create('default', idlePod(`e${i}`, { app: `e${i}` }, NOWHERE)));
    const slices = await cluster.follow<EndpointSlice>(ENDPOINT_SLICES);
    const syncs = await ruleSyncs(cluster);
    /** By Service: when its Pod's change was asked for, and whether it is to be ready. */
    const asked = new Map<string, { readonly at: number; readonly ready: boolean }>();
    const written: number[] = [];
    const look = (slice: Pick<EndpointSlice, 'metadata' | 'endpoints'>): void => {
      const service = slice.metadata.labels?.['kubernetes.io/service-name'] ?? '';
      const change = asked.get(service);
      const ready = slice.endpoints?.some(({ conditions }) => conditions?.ready === true) === true;
      if (change === undefined || change.ready !== ready) return;
      asked.delete(service);
      written.push(performance.now() - change.at);
      syncs.expect(
        `EndpointSlice default/${slice.metadata.name ?? ''}`,
        slice.metadata.resourceVersion ?? '',
        change.at,
      );
    };
    slices.addHandler({
      add: slice => look(slice as EndpointSlice),
      update: (_old, slice) => look(slice as EndpointSlice),
    });
    const before = await cluster.cpu();
    const begun = realClock.monotonic();
    for (let i = 0; i < PER_SECOND * LASTS_S; i++) {
      await realClock.sleep(Math.max(0, begun + (i * 1_000) / PER_SECOND - realClock.monotonic()));
      const name = `e${i % SERVICES_COUNT}`;
      // One that is slower than the rest is left out of a round.
      if (asked.has(name)) continue;
      const ready = Math.floor(i / SERVICES_COUNT) % 2 === 0;
      asked.set(name, { at: performance.now(), ready });
      const ip = `10.251.0.${(i % SERVICES_COUNT) + 1}`;
      const condition = {
        type: 'Ready',
        status: ready ? 'True' : 'False',
        lastTransitionTime: formatTime(realClock.now()),
      };
      const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [condition] };
      void pods.patch({ namespace: 'default', name }, { status }, { type: 'strategic', subresource: 'status' });
    }
    while (asked.size > 0) await realClock.sleep(20);
    const loaded = await syncs.all();
    syncs.close();
    const after = await cluster.cpu();
    const both = (times: readonly number[]): string => `${ms(quantile(times, 0.5))} / ${ms(quantile(times, 0.99))}`;
    return [
      { what: `Pod Ready to EndpointSlice, ${PER_SECOND} a second, p50 / p99`, value: both(written) },
      { what: '  to rules on 3 nodes, p50 / p99', value: both(loaded), goal: 'goal: 15 / 80 ms' },
      {
        what: '  CPU, of a second',
        value: `${(totalCpu(before, after) / LASTS_S).toFixed(0)} ms`,
        goal: `in ${LASTS_S} s: ${cpuText(before, after)}`,
      },
    ];
  } finally {
    await cluster.stop();
  }
}
