import { Refused } from './connection.js';
import { NAMESPACE, pod, PODS } from './objects.js';
import { closedLoop, withConnection } from './pool.js';
import { scaled } from './scale.js';
import type { Server } from './target.js';

/** Pods that lists are measured on: `LABELLED` of them have a label of their own, `ON_NODE` are on each node. */
export const POD_COUNT = scaled(10_000);
export const LABELLED = 100;
export const ON_NODE = 200;
export const podName = (i: number): string => `pod-${String(i).padStart(5, '0')}`;
const CLIENTS = 32;

const made = new WeakMap<Server, Set<string>>();

/** Does something to a server that is done once. */
async function once(server: Server, what: string, make: () => Promise<unknown>): Promise<void> {
  const had = made.get(server) ?? new Set();
  made.set(server, had);
  if (had.has(what)) return;
  await make();
  had.add(what);
}

/** The namespace of all there is; with the account that a controller would make, as Pods are refused without. */
export const withNamespace = (server: Server): Promise<void> =>
  once(server, 'namespace', () =>
    withConnection(server.endpoint, async connection => {
      const create = (path: string, name: string): Promise<unknown> =>
        connection
          .send({ method: 'POST', path, body: JSON.stringify({ metadata: { name } }) })
          .catch((error: unknown) => {
            if (!(error instanceof Refused) || error.status !== 409) throw error;
          });
      await create('/api/v1/namespaces', NAMESPACE);
      await create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, 'default');
    }),
  );

export async function withPods(server: Server): Promise<void> {
  await withNamespace(server);
  await once(server, 'pods', () =>
    closedLoop(server.endpoint, { clients: CLIENTS, count: POD_COUNT }, i => ({
      method: 'POST',
      path: PODS,
      body: pod({
        name: podName(i),
        labels: { app: 'web', set: `set-${Math.floor(i / LABELLED)}`, 'pod-template-hash': '7d4b9c8f6' },
        nodeName: `node-${Math.floor(i / ON_NODE)}`,
      }),
    })),
  );
}

/** Objects by their bodies, so many at a time. */
export const createAll = (server: Server, path: string, count: number, body: (i: number) => string): Promise<unknown> =>
  closedLoop(server.endpoint, { clients: CLIENTS, count }, i => ({ method: 'POST', path, body: body(i) }));
