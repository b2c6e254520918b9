import t from 'tap';
import { Cluster } from '../../../src/testing/index.js';
import { until } from '../../support/until.js';

const pod = (name: string, nodeName: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { nodeName, terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'nginx' }] },
});
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
};

t.setTimeout(280_000);

t.test('nodes are cut off, lose their power and come back; their clocks are wrong', async t => {
  const cluster = await Cluster.create({ nodes: 2, seed: 1, objects: [service] });
  t.teardown(() => cluster.stop());
  t.same(
    cluster.nodes.map(({ name }) => name),
    ['node-1', 'node-2'],
  );
  t.throws(() => cluster.node('node-3'), { message: 'there is no node "node-3", only node-1, node-2' });
  const away = cluster.node('node-2');

  await cluster.apply([pod('client', 'node-1'), pod('web', 'node-2')]);
  await cluster.waitFor('pod/client', 'Ready');
  await cluster.waitFor('pod/web', 'Ready');
  const trace = (count = 1) => cluster.trace('default/client', 'http://web', { count });
  await until('the Service has it', async () => (await trace()).ok);
  const three = await trace(3);
  t.match(three, { status: 200, ends: { [Object.keys(three.ends)[0] ?? '']: 3 } });
  t.match(Object.keys(three.ends), [/^pod default\/web \(10\.244\.\d+\.\d+:80\)$/]);
  t.match(
    three.hops.find(({ kind }) => kind === 'deliver'),
    { node: 'node-2', text: 'pod default/web' },
  );
  t.match(String(three), /^OK default\/client/);

  await away.partition();
  t.match(await trace(), { ok: false, error: /ETIMEDOUT|no answer/ });
  const asked = () => cluster.requests({ user: 'system:node:node-2' }).length;
  const before = asked();
  await cluster.apply(pod('late', 'node-2'));
  await cluster.apply(pod('early', 'node-1'));
  await cluster.waitFor('pod/early', 'Ready');
  t.equal(asked(), before, 'it asks for nothing');
  await away.heal();
  await cluster.waitFor('pod/late', 'Ready');
  await until('its Pods answer again', async () => (await trace()).ok);

  await away.kill();
  t.equal((await trace()).ok, false);
  await away.start();
  await until('its Pods run again', async () => (await trace()).ok);
  await away.start();

  away.clockSkew('1h');
  await cluster.apply(pod('future', 'node-2'));
  const { metadata, status } = (await cluster.waitFor('pod/future', 'Ready')) ?? {};
  const { startTime } = status as { startTime: string };
  t.ok(Date.parse(startTime) - Date.parse(metadata?.creationTimestamp ?? '') >= 3_590_000, startTime);
  t.throws(() => away.clockSkew('tomorrow'), RangeError);
});
