import { CONFIG_MAPS, DEPLOYMENTS } from '../../../src/client/resources.js';
import type { ResourceRef } from '../../../src/client/types.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { benchFolder, startBenchServer, type BenchServer } from '../api-server.js';
import { cpuOf } from '../memory.js';
import type { Row } from '../table.js';
import { inParallel } from '../timed.js';
import { custom, define, ENV, RULES, SPEC, specSchema } from './shop.js';

const CLIENTS = 64;
const ROUNDS = 6;
const PER_ROUND = 400;
const WARM_UP = 300;

interface Kind {
  readonly what: string;
  readonly ref: ResourceRef;
  readonly object: Partial<KubeObject>;
  cpu: number;
  took: number;
}

const kind = (what: string, ref: ResourceRef, object: object): Kind => ({ what, ref, object, cpu: 0, took: 0 });

const KINDS = (): readonly Kind[] => [
  kind('a ConfigMap of the same size', CONFIG_MAPS, {
    data: Object.fromEntries(ENV.map(({ name, value }) => [name, `${value} ${'y'.repeat(22)}`])),
  }),
  kind('a Deployment of the same size', DEPLOYMENTS, {
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { labels: { app: 'shop' } },
        spec: { containers: [{ name: 'shop', image: 'shop:1.2', env: ENV }] },
      },
    },
  }),
  kind('a custom resource without rules', custom('plains'), { spec: SPEC }),
  kind('a custom resource with 10 CEL rules', custom('shops'), { spec: SPEC }),
];

/** In turns, so that what else the machine does meets all of them. */
async function measure({ client, pid }: BenchServer, kinds: readonly Kind[]): Promise<void> {
  for (let round = -1; round < ROUNDS; round++)
    for (const one of kinds) {
      const { group, version } = one.ref;
      const apiVersion = group === '' ? version : `${group}/${version}`;
      const named = { shops: 'Shop', plains: 'Plain', configmaps: 'ConfigMap', deployments: 'Deployment' };
      const kind = named[one.ref.resource as keyof typeof named];
      const resource = client.resource(one.ref);
      const before = cpuOf(pid);
      const took = await inParallel(round < 0 ? WARM_UP : PER_ROUND, CLIENTS, i =>
        resource.create('default', {
          apiVersion,
          kind,
          metadata: { name: `r${round + 1}-${i}` },
          ...one.object,
        }),
      );
      // The first round is the compiler's.
      if (round < 0) continue;
      one.took += took;
      one.cpu += cpuOf(pid) - before;
    }
}

/** What a create costs the server, by kind. */
export async function customCreates(): Promise<Row[]> {
  const server = await startBenchServer(benchFolder(), ['--storage', 'memory']);
  const kinds = KINDS();
  try {
    await define(server.client, { plural: 'shops', kind: 'Shop', spec: specSchema(RULES) });
    await define(server.client, { plural: 'plains', kind: 'Plain', spec: specSchema([]) });
    await measure(server, kinds);
  } finally {
    await server.stop();
  }
  const writes = ROUNDS * PER_ROUND;
  const [configMap, deployment, , withRules] = kinds;
  const ratio = (to: Kind | undefined): string => ((withRules?.cpu ?? NaN) / (to?.cpu ?? NaN)).toFixed(2);
  return [
    ...kinds.map(({ what, cpu, took }) => ({
      what: `create of ${what}, ${CLIENTS} clients: CPU time of the server, rate`,
      value: `${((cpu / writes) * 1000).toFixed(0)} µs, ${Math.round((writes / took) * 1000)}/s`,
    })),
    { what: '  CPU time with rules, of that of a ConfigMap', value: ratio(configMap), goal: 'goal: under 1.50' },
    { what: '  of that of a Deployment', value: ratio(deployment) },
  ];
}
