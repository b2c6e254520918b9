import type { Ask } from '../connection.js';
import { metered } from '../meter.js';
import { configMap, deployment, DEPLOYMENTS, MAPS, pod, PODS, podStatus } from '../objects.js';
import { loopOver, openMany } from '../pool.js';
import { RUNS, scaled } from '../scale.js';
import { rate, row, type Figure, type Scenario } from '../scenario.js';
import { podName, withNamespace, withPods } from '../stored.js';
import type { Server, Target } from '../target.js';

interface Writes {
  readonly name: string;
  readonly what: string;
  readonly reach?: number;
  readonly clients: number;
  /** Of each run; the run before the first, which warms up, has half. */
  readonly count: number;
  readonly stored?: (server: Server) => Promise<void>;
  readonly ask: (i: number, client: number) => Ask;
}

/** A number that no request before had, on any server. */
let serial = 0;

/** So many clients that write as fast as they are answered. */
export function writes({ name, what, reach, clients, count, stored = withNamespace, ask }: Writes): Scenario {
  const run = async ({ server }: Target, count: number): Promise<Figure> => {
    const connections = await openMany(server.endpoint, clients);
    const done = await metered(server, () => loopOver(connections, count, (_, client) => ask(serial++, client)));
    for (const connection of connections) connection.close();
    return rate(done, count);
  };
  return {
    name,
    rows: [row(name, `${what}, ${clients} client${clients === 1 ? '' : 's'}`, 'per s', reach)],
    runs: RUNS,
    async prepare(target) {
      await stored(target.server);
      await run(target, Math.ceil(scaled(count) / 2));
    },
    run: async target => ({ [name]: await run(target, scaled(count)) }),
  };
}

const createMaps = (clients: number, count: number, reach: number): Scenario =>
  writes({
    name: `create-configmap-${clients}`,
    what: 'create ConfigMap 1 KB',
    reach,
    clients,
    count,
    ask: i => ({ method: 'POST', path: MAPS, body: configMap(`map-${i}`) }),
  });

/** What a controller or an agent waits for. */
export const WRITES: readonly Scenario[] = [
  // The most first: what a server's compiler has to learn is learnt by then.
  createMaps(64, 4_000, 5_000),
  createMaps(16, 2_000, 3_000),
  createMaps(1, 500, 700),
  writes({
    name: 'create-pod',
    what: 'create Pod 3 KB',
    reach: 2_500,
    clients: 64,
    count: 2_000,
    ask: i => ({
      method: 'POST',
      path: PODS,
      body: pod({ name: `created-${i}`, labels: { app: 'created' }, nodeName: 'created' }),
    }),
  }),
  writes({
    name: 'patch-pod-status',
    what: 'patch Pod status',
    reach: 2_500,
    clients: 64,
    count: 2_000,
    stored: withPods,
    ask: (i, client) => ({
      method: 'PATCH',
      path: `${PODS}/${podName(client)}/status`,
      type: 'application/strategic-merge-patch+json',
      body: podStatus(i),
    }),
  }),
  writes({
    name: 'apply',
    what: 'server-side apply of a Deployment',
    reach: 1_800,
    clients: 16,
    count: 1_500,
    ask: (i, client) => ({
      method: 'PATCH',
      path: `${DEPLOYMENTS}/web-${client}?fieldManager=bench`,
      type: 'application/apply-patch+yaml',
      body: deployment(`web-${client}`, i),
    }),
  }),
];
