// node --test web.test.mjs
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster } from 'kubette/testing';

/** @type {Cluster} */
let cluster;
before(async () => {
  cluster = await Cluster.create({ nodes: 2 });
});
after(() => cluster.stop());

test('the web answers inside of the cluster, and lives through the loss of a node', async () => {
  await cluster.apply(fileURLToPath(new URL('../web.yaml', import.meta.url)));
  await cluster.waitFor('deployment/web', 'Available');
  const trace = await cluster.trace('node/node-1', 'svc/web');
  assert.equal(trace.status, 200, String(trace));

  await cluster.node('node-2').partition();
  await cluster.node('node-2').heal();
});

test('an operator that patches too often is told to wait', async () => {
  const operator = cluster.as('operator', ['system:masters']);
  const fault = cluster.faults.next({ user: 'operator', verb: 'patch', status: 429, times: 2 });
  // Here would stand: start the operator with `operator.env`, and wait for what it does.
  assert.match(operator.kubeconfig, /client-certificate-data/);
  assert.deepEqual(cluster.requests({ user: 'operator', verb: 'patch' }), []);
  fault.end();
});
