import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { loadKubeConfig } from '../../src/client/kubeconfig.js';
import { CONFIG_MAPS } from '../../src/client/resources.js';
import { createClient } from '../../src/client/rest-client.js';
import { realClock } from '../../src/machinery/clock.js';
import type { ConfigMap } from '../../src/machinery/types.js';
import { startUp, type RunningUp } from '../support/up.js';
import { memoryOf } from './memory.js';
import type { Row } from './table.js';

const DEPLOYMENTS = ['d1', 'd2', 'd3', 'd4', 'd5'];
const ROLLOUTS = 150;
const PATCHES = 300;
const WATCHERS = 12;

async function memory(up: RunningUp): Promise<string> {
  const pids = await up.pids();
  const of = (name: string): string => memoryOf(pids.get(name) ?? 0).rss.toFixed(0);
  return `${of('apiserver')} / ${of('controller-manager')} MB`;
}

/** Rollouts leave old ReplicaSets, Events and history behind: what is kept of them must level off. */
async function rollouts(up: RunningUp): Promise<Row[]> {
  for (const name of DEPLOYMENTS) await up.ok('create', 'deployment', name, '--image=nginx', '--replicas=6');
  const rows: Row[] = [{ what: 'API server / controller manager: memory before rollouts', value: await memory(up) }];
  for (let done = 0; done < ROLLOUTS;) {
    for (const name of DEPLOYMENTS) await up.ok('rollout', 'restart', `deployment/${name}`);
    for (const name of DEPLOYMENTS) await up.ok('rollout', 'status', `deployment/${name}`, '--timeout=120s');
    done += DEPLOYMENTS.length;
    if (done % 50 === 0) rows.push({ what: `  after ${done} rollouts of 6 Pods`, value: await memory(up) });
  }
  return [...rows.slice(0, -1), { ...(rows.at(-1) as Row), goal: 'goal: API server under 300 MB' }];
}

/** One large object, changed again and again, for clients that do not read. */
async function largeObject(up: RunningUp): Promise<Row[]> {
  const client = createClient(await loadKubeConfig(join(up.dataDir, 'kubeconfig')), 'bench');
  const maps = client.resource<ConfigMap>(CONFIG_MAPS);
  const text = 'x'.repeat(900 << 10);
  await maps.create('default', { metadata: { name: 'large' }, data: { text } });
  const change = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++)
      await maps.patch({ namespace: 'default', name: 'large' }, { data: { i: String(i) } }, { type: 'merge' });
  };
  await change(0, PATCHES);
  const rows: Row[] = [
    {
      what: `  after ${PATCHES} patches of a ConfigMap of 900 KB`,
      value: await memory(up),
      goal: 'goal: API server under 400 MB',
    },
  ];
  const path = '/api/v1/namespaces/default/configmaps?watch=1';
  const watchers = Array.from({ length: WATCHERS }, () =>
    spawn('kubectl', ['get', '--raw', path], {
      stdio: 'ignore',
      env: { ...process.env, KUBECONFIG: join(up.dataDir, 'kubeconfig') },
    }),
  );
  await realClock.sleep(2_000);
  for (const { pid } of watchers) if (pid !== undefined) process.kill(pid, 'SIGSTOP');
  await change(PATCHES, PATCHES + 60);
  rows.push({ what: `  after 60 more, with ${WATCHERS} watchers that do not read`, value: await memory(up) });
  for (const watcher of watchers) watcher.kill('SIGKILL');
  client.close();
  return rows;
}

/** What the API server holds on to when it is used for long, or badly. */
export async function memoryBounds(): Promise<Row[]> {
  const up = await startUp({ args: ['--nodes', '1'] });
  try {
    return [...(await rollouts(up)), ...(await largeObject(up))];
  } finally {
    await up.stop();
  }
}
