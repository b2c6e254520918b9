import { definition, SPEC, specSchema } from '../../extensions/shop.js';
import { realClock } from '../../../../src/machinery/clock.js';
import { Refused } from '../connection.js';
import { NAMESPACE } from '../objects.js';
import { withConnection } from '../pool.js';
import type { Scenario } from '../scenario.js';
import { withNamespace } from '../stored.js';
import type { Server } from '../target.js';
import { writes } from './writes.js';

const GROUP = 'bench.example.com';
const SHOPS = `/apis/${GROUP}/v1/namespaces/${NAMESPACE}/shops`;
const DEFINITION = JSON.stringify(definition({ group: GROUP, plural: 'shops', kind: 'Shop', spec: specSchema([]) }));

/** 409: it is there from a run before. 404 and 429: it is not yet served. */
const refusedWith =
  (...statuses: readonly number[]) =>
  (error: unknown): void => {
    if (!(error instanceof Refused) || !statuses.includes(error.status)) throw error;
  };

async function withShops(server: Server): Promise<void> {
  await withNamespace(server);
  await withConnection(server.endpoint, async connection => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await connection.send({ method: 'POST', path, body: DEFINITION }).catch(refusedWith(409));
    for (;;) {
      const served = await connection.send({ path: SHOPS }).catch(refusedWith(404, 429));
      if (served !== undefined) return;
      await realClock.sleep(20);
    }
  });
}

const shop = (name: string, replicas: number): string =>
  JSON.stringify({ apiVersion: `${GROUP}/v1`, kind: 'Shop', metadata: { name }, spec: { ...SPEC, replicas } });

export const CUSTOM_RESOURCES: readonly Scenario[] = [
  writes({
    name: 'create-custom',
    what: 'create custom resource 4 KB',
    clients: 64,
    count: 2_000,
    stored: withShops,
    ask: i => ({ method: 'POST', path: SHOPS, body: shop(`shop-${i}`, 3) }),
  }),
  writes({
    name: 'apply-custom',
    what: 'server-side apply of a custom resource',
    clients: 16,
    count: 1_500,
    stored: withShops,
    ask: (i, client) => ({
      method: 'PATCH',
      path: `${SHOPS}/applied-${client}?fieldManager=bench`,
      type: 'application/apply-patch+yaml',
      body: shop(`applied-${client}`, i),
    }),
  }),
];
