// tap web.test.mjs
import { fileURLToPath } from 'node:url';
import { Cluster } from 'kubette/testing';
import t from 'tap';

t.test('the web is there', async t => {
  const cluster = await Cluster.create({ nodes: 1 });
  t.teardown(() => cluster.stop());
  const namespace = await cluster.namespace();
  await cluster.apply(fileURLToPath(new URL('../web.yaml', import.meta.url)), { namespace });
  const web = await cluster.waitFor('deployment/web', 'Available', { namespace });
  t.equal(web.status.readyReplicas, 2);
});
