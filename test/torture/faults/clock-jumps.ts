import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInformerFactory } from '../../../src/client/informer.js';
import { loadKubeConfig } from '../../../src/client/kubeconfig.js';
import { DEPLOYMENTS, LEASES, NODES, PODS } from '../../../src/client/resources.js';
import { createClient } from '../../../src/client/rest-client.js';
import { realClock } from '../../../src/machinery/clock.js';
import { isNodeReady } from '../../../src/machinery/node-ready.js';
import type { Deployment, Lease, Node, Pod } from '../../../src/machinery/types.js';
import { ROOT } from '../../support/root.js';
import { eventually, startUp } from '../../support/up.js';

const HOUR_MS = 3_600_000;
const REPLICAS = 3;
const START_MS = 180_000;
const PRELOAD = join(ROOT, 'build/test/torture/faults/jump-preload.js');

const deployment = (name: string): Deployment => ({
  metadata: { name },
  spec: {
    replicas: REPLICAS,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
  },
});

/**
 * The clocks of all processes jump an hour ahead, two back and one ahead: whoever leads goes on, nodes stay, no Pod is replaced,
 * new ones come to run.
 */
export async function clockJumps(dataDir: string): Promise<string[]> {
  const file = join(dataDir, 'clock-jump');
  const up = await startUp({
    dataDir,
    timeoutMs: START_MS,
    args: ['--nodes', '1', '--no-ingress'],
    env: { NODE_OPTIONS: `--import=${PRELOAD}`, CLOCK_JUMP: file },
  });
  const problems: string[] = [];
  const client = createClient(await loadKubeConfig(join(dataDir, 'kubeconfig')), 'torture');
  const deployments = client.resource<Deployment>(DEPLOYMENTS);
  const isThere = async (name: string): Promise<void> => {
    await deployments.create('default', deployment(name));
    await eventually(
      `${name} to be ready`,
      () => deployments.get({ namespace: 'default', name }),
      ({ status }) => status?.readyReplicas === REPLICAS,
      60_000,
    ).catch((error: Error) => problems.push(error.message));
  };
  const podsOf = async (name: string): Promise<string> => {
    const { items } = await client.resource<Pod>(PODS).list({ namespace: 'default', labelSelector: `app=${name}` });
    return items
      .map(({ metadata }) => metadata.uid)
      .sort()
      .join(' ');
  };
  /** Resolves when a Lease has been renewed so often. */
  const renewed = async (namespace: string, name: string, times: number): Promise<void> => {
    const leases = client.resource<Lease>(LEASES);
    const spec = async (): Promise<string> => JSON.stringify((await leases.get({ namespace, name })).spec);
    for (let i = 0; i < times; i++) {
      const before = await spec();
      await eventually(`${namespace}/${name} to be renewed`, spec, now => now !== before);
    }
  };
  // Also what is over by the time somebody looks.
  const informers = createInformerFactory({ transport: client.transport, clock: realClock });
  const watching = new AbortController();
  informers.informer<Node>(NODES).addHandler({
    update(_old, node) {
      if (!isNodeReady(node)) problems.push(`${node.metadata.name} is not ready`);
    },
  });
  try {
    await isThere('before');
    informers.start(watching.signal);
    const before = await podsOf('before');
    for (const [name, offset] of [
      ['ahead', HOUR_MS],
      ['behind', -HOUR_MS],
      ['back', 0],
    ] as const) {
      writeFileSync(file, String(offset));
      for (const pid of (await up.pids()).values()) process.kill(pid, 'SIGUSR2');
      await isThere(name);
      await renewed('kube-system', 'kube-controller-manager', 1);
      // Meanwhile somebody has looked whether the node is silent.
      await renewed('kube-node-lease', 'node-1', 2);
      if ((await podsOf('before')) !== before) problems.push(`${name}: Pods were replaced`);
    }
    if (/was ended|exited/.test(up.output())) problems.push(up.output());
    return problems;
  } finally {
    watching.abort(new Error('enough'));
    client.close();
    await up.stop();
  }
}
