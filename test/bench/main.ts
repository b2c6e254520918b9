import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createInformerFactory } from '../../src/client/informer.js';
import { loadKubeConfig } from '../../src/client/kubeconfig.js';
import { CONFIG_MAPS, PODS } from '../../src/client/resources.js';
import { createClient, type RestClient } from '../../src/client/rest-client.js';
import { realClock } from '../../src/machinery/clock.js';
import type { ConfigMap, Pod } from '../../src/machinery/types.js';
import { eventually, startUp } from '../support/up.js';
import { runSuite } from './api/run.js';
import { SCENARIOS } from './api/suite.js';
import { chooseTargets } from './api/targets.js';
import { benchFolder, startBenchServer } from './api-server.js';
import { memoryBounds } from './bounds.js';
import { dnsQueries } from './dns.js';
import { envtest } from './envtest.js';
import { fairness } from './fairness.js';
import { warmRules } from './extensions/cel.js';
import { convertedList } from './extensions/conversion.js';
import { customCreates } from './extensions/creates.js';
import { manyDefinitions } from './extensions/definitions.js';
import { webhookCalls } from './extensions/webhooks.js';
import { kubectlGetPods } from './kubectl.js';
import { memoryOf } from './memory.js';
import { podInProcess } from './pod.js';
import { endpointsAtScale } from './scale/endpoints.js';
import { manyNodes } from './scale/nodes.js';
import { rollout } from './scale/rollout.js';
import { servicesAtScale } from './scale/services.js';
import { packageSize } from './package.js';
import { services } from './services.js';
import { storeBounds } from './store.js';
import { testClusters } from './testing.js';
import { podNetwork } from './network.js';
import { inParallel, timed } from './timed.js';
import { ms, printTable, quantile, type Row } from './table.js';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** API server alone: time until it answers, memory, first requests, throughput of durable writes. */
async function apiServerAlone(storage: string): Promise<Row[]> {
  const dataDir = benchFolder();
  // Keys are made once per folder; what is timed is the start of a server that has them.
  const first = await startBenchServer(dataDir, ['--storage', storage]);
  await first.stop();
  const server = await startBenchServer(dataDir, ['--storage', storage]);
  const memory = memoryOf(server.pid);
  const table = (): Promise<string> =>
    server.client.transport.fetch({ method: 'GET', path: '/api/v1/namespaces/default/pods?limit=500', accept: TABLE });
  const { took: firstList } = await timed(table);
  const { took: secondList } = await timed(table);
  const maps = server.client.resource<ConfigMap>(CONFIG_MAPS);
  const writes = 2_000;
  const inFlight = 64;
  const took = await inParallel(writes, inFlight, i =>
    maps.create('default', { metadata: { name: `bench-${i}` }, data: { a: 'x'.repeat(400) } }),
  );
  const { took: listTook } = await timed(() =>
    server.client.transport.fetch({ method: 'GET', path: '/api/v1/namespaces/default/configmaps' }),
  );
  const after = memoryOf(server.pid);
  await server.stop();
  const name = `apiserver (${storage})`;
  return [
    { what: `${name}: ready, first start (makes its keys)`, value: ms(first.took) },
    { what: `${name}: ready`, value: ms(server.took), goal: 'goal: under 500 ms' },
    { what: `${name}: memory when ready`, value: `${memory.rss.toFixed(0)} MB`, goal: 'goal: under 120 MB' },
    { what: `${name}: first list of pods as a table`, value: ms(firstList), goal: 'goal: under 150 ms' },
    { what: `${name}: second`, value: ms(secondList) },
    { what: `${name}: durable creates, ${inFlight} in flight`, value: `${Math.round((writes / took) * 1000)}/s` },
    { what: `${name}: list of ${writes} ConfigMaps`, value: ms(listTook) },
    { what: `${name}: memory after that`, value: `${after.rss.toFixed(0)} MB` },
  ];
}

/** The whole: time to ready, memory, and how long a ready Pod takes to reach the rules of every node. */
async function wholeCluster(): Promise<Row[]> {
  const begun = performance.now();
  const up = await startUp({ args: ['--nodes', '3', '--storage', 'memory'] });
  const ready = performance.now() - begun;
  try {
    const said = Number(/ready in (\d+) ms/.exec(up.output())?.[1]);
    const pids = new Map([['up', up.process.pid ?? 0], ...(await up.pids())]);
    const memory = [...pids].map(([name, pid]) => ({ name, ...memoryOf(pid) }));
    const total = (pick: (m: { rss: number; pss: number }) => number): string =>
      memory.reduce((n, m) => n + pick(m), 0).toFixed(0);
    const client = createClient(await loadKubeConfig(join(up.dataDir, 'kubeconfig')), 'bench');
    const programming = await endpointProgramming(up.ok, client);
    const kubectl = await kubectlGetPods(up);
    client.close();
    return [
      { what: 'up --nodes 3 --storage memory: ready, as it says', value: ms(said), goal: 'goal: under 3 s' },
      { what: 'the same, from the start of the command', value: ms(ready) },
      {
        what: 'memory of all processes, shared pages counted once (PSS)',
        value: `${total(m => m.pss)} MB`,
        goal: 'goal: under 450 MB',
      },
      { what: 'the same, shared pages counted each time (RSS)', value: `${total(m => m.rss)} MB` },
      ...memory.map(m => ({ what: `  ${m.name}`, value: `${m.pss.toFixed(0)} / ${m.rss.toFixed(0)} MB` })),
      {
        what: `Pod Ready to rule on every node, median of ${programming.length}`,
        value: ms(quantile(programming, 0.5)),
        goal: 'goal: under 100 ms',
      },
      { what: 'the same, slowest', value: ms(quantile(programming, 1)) },
      ...kubectl,
    ];
  } finally {
    await up.stop();
  }
}

async function endpointProgramming(ok: (...args: string[]) => Promise<string>, client: RestClient): Promise<number[]> {
  await ok('create', 'deployment', 'bench', '--image=echo', '--replicas=1');
  await ok('expose', 'deployment', 'bench', '--port=80');
  await ok('rollout', 'status', 'deployment/bench', '--timeout=60s');
  const stop = new AbortController();
  const informers = createInformerFactory({ transport: client.transport, clock: realClock });
  const pods = informers.informer<Pod>(PODS);
  const taken: Promise<number>[] = [];
  const rulesOn = (node: string): Promise<string> =>
    client.transport.fetch({ method: 'GET', path: `/api/v1/nodes/${node}/proxy/rules?format=iptables-save` });
  const reached = async (ip: string, from: number): Promise<number> => {
    await Promise.all(
      ['node-1', 'node-2', 'node-3'].map(async node => {
        while (!(await rulesOn(node)).includes(`--to-destination ${ip}:80`)) await realClock.sleep(2);
      }),
    );
    return performance.now() - from;
  };
  const isReady = (pod: Pick<Pod, 'status'>): boolean =>
    pod.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True') === true;
  pods.addHandler({
    update(old, pod) {
      if (!isReady(old as Pod) && isReady(pod as Pod) && pod.metadata.labels?.['app'] === 'bench')
        taken.push(reached(pod.status?.podIP ?? '', performance.now()));
    },
  });
  informers.start(stop.signal);
  await informers.whenSynced(stop.signal);
  for (let replicas = 2; replicas <= 16; replicas++) {
    const before = taken.length;
    await ok('scale', 'deployment', 'bench', `--replicas=${replicas}`);
    await eventually(
      'the new Pod to be ready',
      async () => taken.length,
      count => count > before,
    );
  }
  const times = await Promise.all(taken);
  stop.abort();
  return times;
}

/** What is measured of Kubette alone, with what is inside of it. */
const PARTS: Readonly<Record<string, () => Row[] | Promise<Row[]>>> = {
  pod: podInProcess,
  services: services,
  dns: dnsQueries,
  'apiserver-memory': () => apiServerAlone('memory'),
  'apiserver-leveldb': () => apiServerAlone('leveldb'),
  envtest: envtest,
  cluster: wholeCluster,
  network: podNetwork,
  bounds: memoryBounds,
  definitions: manyDefinitions,
  'custom-creates': customCreates,
  cel: warmRules,
  webhooks: webhookCalls,
  conversion: convertedList,
  fairness: fairness,
  testing: testClusters,
  'scale-nodes': manyNodes,
  'scale-rollout': rollout,
  'scale-services': servicesAtScale,
  'scale-endpoints': endpointsAtScale,
  package: packageSize,
  store: storeBounds,
};

const STRING = { type: 'string' } as const;
const { values: flags } = parseArgs({
  options: {
    ...{ json: STRING, markdown: STRING, against: STRING, token: STRING, ca: STRING, cert: STRING, key: STRING },
    ...{ pid: STRING, insecure: { type: 'boolean' }, peers: { type: 'boolean' } },
  },
});

/** ONLY=fanout,create runs those whose names contain one of these. */
const { ONLY = '', KUBE_BIN } = process.env;
const isChosen = (name: string): boolean => ONLY.split(',').some(part => name.includes(part));
const scenarios = SCENARIOS.filter(({ name }) => isChosen(name));
// Other servers have no insides.
const ownOnly = flags.against === undefined && flags.peers !== true;
const parts = ownOnly ? Object.entries(PARTS).filter(([name]) => isChosen(name)) : [];
if (scenarios.length + parts.length === 0) {
  const names = [...SCENARIOS.map(({ name }) => name), ...(ownOnly ? Object.keys(PARTS) : [])];
  process.stderr.write(`ONLY=${ONLY} is none of ${names.join(', ')}\n`);
  process.exit(1);
}
if (flags.peers === true && KUBE_BIN === undefined) {
  process.stderr.write('KUBE_BIN is to name a folder with kube-apiserver and etcd\n');
  process.exit(1);
}
if (scenarios.length > 0)
  await runSuite(scenarios, await chooseTargets(flags, flags.peers === true ? KUBE_BIN : undefined), flags);
const rows: Row[] = [];
for (const [, part] of parts) rows.push(...(await part()));
if (rows.length > 0) printTable(rows);
process.exit(0);
