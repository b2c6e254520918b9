import t from 'tap';
import { createClient } from '../../../src/client/rest-client.js';
import { NODES, PODS } from '../../../src/client/resources.js';
import { startCluster } from '../../../src/cluster/start-cluster.js';
import { realClock } from '../../../src/machinery/clock.js';
import { seededRandom } from '../../../src/machinery/random.js';
import type { Node, Pod } from '../../../src/machinery/types.js';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'nginx' }] },
};

t.test('clusters run side by side in one process, and leave nothing behind', async t => {
  const clusters = await Promise.all([
    startCluster({ random: seededRandom(1) }),
    startCluster({ nodes: 0, random: seededRandom(1) }),
  ]);
  t.teardown(() => Promise.all(clusters.map(cluster => cluster.close())));
  const [one, other] = clusters;
  t.not(one.url, other.url);
  t.match(one.kubeconfig, `server: ${one.url}`);

  const client = createClient(one.config, 'test');
  const made = await client.resource<Pod>(PODS).create('default', pod);
  const phase = async (): Promise<string> =>
    (await client.resource<Pod>(PODS).get({ namespace: 'default', name: 'web' })).status?.phase ?? '';
  while ((await phase()) !== 'Running') await realClock.sleep(20);
  t.equal(made.metadata.namespace, 'default');
  client.close();

  const empty = createClient(other.config, 'test');
  t.same((await empty.resource<Pod>(PODS).list()).items, [], 'nothing of the one is in the other');
  t.same((await empty.resource<Node>(NODES).list()).items, []);
  empty.close();
});

t.test('a start that is given up leaves nothing behind', async t => {
  const given = new AbortController();
  given.abort(new Error('enough'));
  await t.rejects(startCluster({ signal: given.signal }), { message: 'enough' });
});
