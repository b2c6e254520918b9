import { join } from 'node:path';
import { createInformerFactory } from '../../../src/client/informer.js';
import { loadKubeConfig } from '../../../src/client/kubeconfig.js';
import { PODS } from '../../../src/client/resources.js';
import { createClient, type RestClient } from '../../../src/client/rest-client.js';
import type { Informer, InformerFactory, ResourceRef } from '../../../src/client/types.js';
import { realClock } from '../../../src/machinery/clock.js';
import type { KubeObject, Pod } from '../../../src/machinery/types.js';
import { startUp, type RunningUp } from '../../support/up.js';
import { cpuOf, memoryOf } from '../memory.js';
import { PAUSE } from './objects.js';
import { ms, type Row } from '../table.js';

/** Milliseconds of CPU time by the name of the process. */
export type Cpu = ReadonlyMap<string, number>;

/** A cluster that a row is measured on: processes of their own, a client that follows its objects. */
export interface BenchCluster {
  readonly up: RunningUp;
  readonly client: RestClient;
  follow<T extends KubeObject>(ref: ResourceRef): Promise<Informer<T>>;
  cpu(): Promise<Cpu>;
  /** Resident MB by the name of the process. */
  memory(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/** Many nodes on a busy machine. */
const START_MS = 600_000;

/** "node-agent node-1..node-1000" is "node-agent": processes of one kind are told together. */
const kindOf = (name: string): string => name.split(' ')[0] ?? name;

export async function startBenchCluster(args: readonly string[]): Promise<BenchCluster> {
  const up = await startUp({ args: ['--storage', 'memory', '--no-ingress', ...args], timeoutMs: START_MS });
  const client = createClient(await loadKubeConfig(join(up.dataDir, 'kubeconfig')), 'bench');
  const stopping = new AbortController();
  const informers: InformerFactory = createInformerFactory({ transport: client.transport, clock: realClock });
  informers.start(stopping.signal);
  const byKind = async (of: (pid: number) => number): Promise<Map<string, number>> => {
    const found = new Map<string, number>();
    for (const [name, pid] of [['up', up.process.pid ?? 0] as const, ...(await up.pids())])
      found.set(kindOf(name), (found.get(kindOf(name)) ?? 0) + of(pid));
    return found;
  };
  return {
    up,
    client,
    async follow<T extends KubeObject>(ref: ResourceRef) {
      const informer = informers.informer<T>(ref);
      await informer.whenSynced(stopping.signal);
      return informer;
    },
    cpu: () => byKind(cpuOf),
    memory: () => byKind(pid => memoryOf(pid).rss),
    async stop() {
      stopping.abort(new Error('the bench is over'));
      client.close();
      await up.stop();
    },
  };
}

/** "apiserver 3.2 s, controller-manager 1.1 s": what was used between two looks. */
export const cpuText = (before: Cpu, after: Cpu): string =>
  [...after]
    .map(([name, used]) => [name, (used - (before.get(name) ?? 0)) / 1000] as const)
    .filter(([, seconds]) => seconds >= 0.05)
    .map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`)
    .join(', ');

export const totalCpu = (before: Cpu, after: Cpu): number =>
  [...after].reduce((sum, [name, used]) => sum + (used - (before.get(name) ?? 0)), 0);

/** What a piece of work took, by the clock and of processors. */
export async function measured(cluster: BenchCluster, what: string, work: () => Promise<void>): Promise<Row[]> {
  const before = await cluster.cpu();
  const begun = performance.now();
  await work();
  const took = performance.now() - begun;
  return [
    { what, value: ms(took) },
    {
      what: '  CPU',
      value: `${(totalCpu(before, await cluster.cpu()) / 1000).toFixed(1)} s`,
      goal: cpuText(before, await cluster.cpu()),
    },
  ];
}

const isReady = (pod: Pick<Pod, 'status'>): boolean =>
  pod.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True') === true;

/** Resolves when so many Pods with this label are Ready and `counts` says that they are meant. */
async function untilReady(
  cluster: BenchCluster,
  app: string,
  count: number,
  counts: (pod: Pick<Pod, 'spec'>) => boolean,
): Promise<void> {
  const pods = await cluster.follow<Pod>(PODS);
  const ready = new Set<string>();
  await new Promise<void>(resolve => {
    const look = (pod: Pick<Pod, 'metadata' | 'spec' | 'status'>): void => {
      const { labels, name = '' } = pod.metadata;
      if (labels?.['app'] !== app) return;
      if (isReady(pod) && counts(pod)) ready.add(name);
      else ready.delete(name);
      if (ready.size >= count) resolve();
    };
    pods.addHandler({
      add: pod => look(pod as Pod),
      update: (_old, pod) => look(pod as Pod),
      delete: pod => void ready.delete(pod.metadata.name ?? ''),
    });
  });
}

export const readyPods = (cluster: BenchCluster, app: string, count: number): Promise<void> =>
  untilReady(cluster, app, count, () => true);

/** The same of Pods with another image than PAUSE. */
export const updatedPods = (cluster: BenchCluster, app: string, count: number): Promise<void> =>
  untilReady(cluster, app, count, ({ spec }) => spec?.containers[0]?.image !== PAUSE);
