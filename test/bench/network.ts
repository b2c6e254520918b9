import { join } from 'node:path';
import { loadKubeConfig } from '../../src/client/kubeconfig.js';
import { NODES, SERVICES } from '../../src/client/resources.js';
import { createClient } from '../../src/client/rest-client.js';
import type { PacketReceiver } from '../../src/containers/network/types.js';
import { realClock } from '../../src/machinery/clock.js';
import type { Node, Service } from '../../src/machinery/types.js';
import { podNetworkOf } from '../../src/nodeagent/network/peer.js';
import { createPeerLinks } from '../../src/nodeagent/network/link/peer-links.js';
import { peerReceiver } from '../../src/nodeagent/network/peer-receiver.js';
import { eventually, startUp, type RunningUp } from '../support/up.js';
import { quantile, type Row } from './table.js';

const MEGABYTES = 500;
const RUNS = [9001, 9002, 9003];
const CONNECTIONS = 12_000;
/** An agent that has had nothing to do has compiled nothing: this is what it is measured after. */
const WARM_UP = 1_000;
const IN_FLIGHT = 64;
const OUTSIDE = '172.18.0.1';

/** A listener for each run: it ends with its connection. Its standard input stays open, as that of a server does. */
const LISTENERS = `for port in ${RUNS.join(' ')}; do (sleep 100000 | nc -l -p $port > /dev/null) & done; wait`;

const MANIFEST = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    pod('source', 'node-1', [shell('sleep 100000')]),
    pod('sink', 'node-2', [shell(LISTENERS), { name: 'web', image: 'nginx' }]),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'sink' },
      spec: { selector: { app: 'sink' }, ports: [80, ...RUNS].map(port => ({ name: `p${port}`, port })) },
    },
  ],
};

function shell(script: string): object {
  return { name: 'shell', image: 'busybox', command: ['sh', '-c', script] };
}

function pod(name: string, nodeName: string, containers: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { nodeName, containers } };
}

/** Megabytes a second of one connection from a Pod through a Service to a Pod of another node, as dd says it. */
async function throughput(up: RunningUp): Promise<number> {
  const rates: number[] = [];
  for (const port of RUNS) {
    const script = `dd if=/dev/zero bs=1M count=${MEGABYTES} 2>/tmp/dd | nc sink ${port}; cat /tmp/dd`;
    const said = await up.ok('exec', 'source', '--', 'sh', '-c', script);
    const seconds = Number(/copied, ([\d.]+) seconds/.exec(said)?.[1]);
    if (Number.isNaN(seconds)) throw new Error(`dd said ${JSON.stringify(said)}`);
    rates.push(MEGABYTES / seconds);
  }
  return quantile(rates, 0.5);
}

/** Connections a second from outside of the cluster to a Service, by one node's rules to a Pod of the other. */
async function connections(node: PacketReceiver, address: string, count = CONNECTIONS): Promise<number> {
  let next = 0;
  const connect = async (): Promise<void> => {
    while (next < count) {
      const srcPort = 1024 + (next++ % 60_000);
      const flow = { proto: 'tcp', src: OUTSIDE, srcPort, dst: address, dstPort: 80 } as const;
      (await node.acceptTcp(flow, {})).destroy();
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, connect));
  return (count / (performance.now() - start)) * 1000;
}

/** What the pod network carries, through real agents and their rules. */
export async function podNetwork(): Promise<Row[]> {
  const up = await startUp({ args: ['--nodes', '2', '--storage', 'memory'] });
  const links = createPeerLinks(realClock);
  const client = createClient(await loadKubeConfig(join(up.dataDir, 'kubeconfig')), 'bench');
  try {
    await up.kubectlWith({ input: JSON.stringify(MANIFEST) }, 'apply', '-f', '-');
    await up.ok('wait', '--for=condition=Ready', 'pod/source', 'pod/sink', '--timeout=60s');
    const { spec } = await client.resource<Service>(SERVICES).get({ namespace: 'default', name: 'sink' });
    const at = podNetworkOf(await client.resource<Node>(NODES).get({ namespace: '', name: 'node-1' }));
    if (at === undefined) throw new Error('node-1 has no pod network');
    const node = peerReceiver(at, links);
    await eventually(
      'the Service to answer',
      () => connections(node, spec?.clusterIP ?? '', 1).catch(() => 0),
      rate => rate > 0,
    );
    const rate = await throughput(up);
    await connections(node, spec?.clusterIP ?? '', WARM_UP);
    const perSecond = await connections(node, spec?.clusterIP ?? '');
    return [
      {
        what: 'Pod to Pod of another node through a Service, one connection',
        value: `${rate.toFixed(0)} MB/s`,
        goal: 'goal: at least 200 MB/s',
      },
      {
        what: `  new connections through the rules of both nodes, after ${WARM_UP.toLocaleString('en')}`,
        value: `${perSecond.toFixed(0)}/s`,
        goal: 'goal: at least 3,000/s',
      },
    ];
  } finally {
    client.close();
    links.close();
    await up.stop();
  }
}
