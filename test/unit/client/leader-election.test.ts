import t from 'tap';
import { runWhileLeading } from '../../../src/client/leader-election.js';
import { LEASES } from '../../../src/client/resources.js';
import type { Lease } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { settle } from '../../support/client.js';

t.test('leader election', async t => {
  const cluster = createFakeCluster();
  const clock = cluster.clock;
  const leases = cluster.context().client.resource<Lease>(LEASES);
  const options = (identity: string) => ({ leases, lease: { namespace: 'kube-system', name: 'cm' }, identity, clock });
  const stopA = new AbortController();
  const stopB = new AbortController();
  const leading: string[] = [];
  const lead =
    (name: string) =>
    async (signal: AbortSignal): Promise<void> => {
      leading.push(name);
      await new Promise(resolve => signal.addEventListener('abort', resolve));
      leading.push(`${name} stopped`);
    };
  const a = runWhileLeading(options('a'), lead('a'), stopA.signal);
  await settle();
  const b = runWhileLeading(options('b'), lead('b'), stopB.signal);
  for (let i = 0; i < 10; i++) {
    clock.step(2_000);
    await settle();
  }
  t.same(leading, ['a'], 'a renews, so b waits');
  stopA.abort();
  await a;
  await settle();
  for (let i = 0; i < 3; i++) {
    clock.step(2_000);
    await settle();
  }
  t.same(leading, ['a', 'a stopped', 'b'], 'a gave the lease back, so b need not wait it out');
  cluster.failNext('update', 'leases', new Error('unreachable'));
  clock.step(2_000);
  await settle();
  t.equal(leading.length, 3, 'one failed renewal is not the end');
  stopB.abort();
  await b;
});
