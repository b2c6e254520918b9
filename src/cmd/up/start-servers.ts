import { readFile } from 'node:fs/promises';
import type { ClientConfig } from '../../client/kubeconfig.js';
import { createClient } from '../../client/rest-client.js';
import { HOST } from '../../cluster/addresses.js';
import { ensureEtcdKeys } from '../../cluster/keys/etcd-keys.js';
import { untilReady } from '../../cluster/readiness.js';
import { openEtcd } from '../../cluster/store.js';
import { realClock } from '../../machinery/clock.js';
import type { ProcessSpec, Supervisor } from '../supervisor.js';
import { startBalancer } from './balancer.js';
import { etcdArguments, etcdProcess, etcdUrl } from './etcd.js';
import { text, type Plan } from './plan.js';
import type { Screen } from './screen.js';

/** Starts the cluster's own etcd, if it has one, and waits for it. @returns how API servers find it */
export async function startEtcd(
  { dataDir, controlPlane: { etcd } }: Plan,
  processes: Supervisor,
  screen: Screen,
  signal: AbortSignal,
): Promise<string[]> {
  if (etcd === undefined) return [];
  const keys = await ensureEtcdKeys(dataDir, HOST, realClock);
  const process = await etcdProcess(dataDir, etcd, keys);
  processes.start(process);
  const files = [keys.ca, keys.client.cert, keys.client.key];
  const [ca = '', cert = '', key = ''] = await Promise.all(files.map(file => readFile(file, 'utf8')));
  const options = { servers: [etcdUrl(etcd)], tls: { ca, cert, key }, prefix: '/' };
  await untilReady(realClock, signal, async () => (await openEtcd(options, realClock, () => undefined)).close());
  processes.markReady(process.name);
  screen.done('etcd', etcdUrl(etcd));
  return etcdArguments(etcd, keys);
}

/** Takes the cluster's address, where several API servers are behind it. */
export async function balance({ port, flags, controlPlane }: Plan, signal: AbortSignal): Promise<void> {
  const targets = controlPlane.apiServerPorts;
  if (targets.length === 0) return;
  const balancer = await startBalancer({ bindAddress: text(flags, 'bindAddress'), port, targets });
  signal.addEventListener('abort', () => balancer.close(), { once: true });
}

/** Starts further API servers once the first one has made what all of them use, and waits for each. */
export async function startMore(
  { controlPlane }: Plan,
  servers: readonly ProcessSpec[],
  config: ClientConfig,
  processes: Supervisor,
  signal: AbortSignal,
): Promise<void> {
  for (const server of servers) processes.start(server);
  for (const [i, { name }] of servers.entries()) {
    const url = `https://${HOST}:${controlPlane.apiServerPorts[i + 1] ?? 0}`;
    const client = createClient({ ...config, server: url }, 'kubette-up');
    try {
      await untilReady(realClock, signal, () => client.request('GET', '/version'));
    } finally {
      client.close();
    }
    processes.markReady(name);
  }
}
