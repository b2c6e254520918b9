import t from 'tap';
import { IP_ADDRESSES, SERVICE_CIDRS } from '../../../src/client/resources.js';
import { serviceCidrController } from '../../../src/controllers/servicecidrs/controller.js';
import { formatTime } from '../../../src/machinery/clock.js';
import type { IPAddress, ServiceCIDR } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';

const cidr = (name: string, ...cidrs: string[]): ServiceCIDR => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name },
  spec: { cidrs },
});
const address = (name: string, manager = 'ipallocator.k8s.io'): IPAddress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IPAddress',
  metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': manager } },
  spec: { parentRef: { resource: 'services', namespace: 'shop', name: 'web' } },
});

/** "gone", "Ready", "kept: Terminating" */
function state(cluster: FakeCluster, name: string): string {
  const stored = cluster.get(SERVICE_CIDRS, name) as ServiceCIDR | undefined;
  const kept = stored?.metadata.finalizers?.includes(FINALIZER) === true;
  const ready = stored?.status?.conditions?.find(({ type }) => type === 'Ready');
  return kept ? `${ready?.status ?? '-'} ${ready?.reason ?? ''}`.trim() : 'free to go';
}

function start(cidrs: readonly ServiceCIDR[], addresses: readonly IPAddress[]) {
  const cluster = createFakeCluster();
  cluster.load(SERVICE_CIDRS, ...cidrs);
  cluster.load(IP_ADDRESSES, ...addresses);
  const context = cluster.context();
  const { reconcile } = serviceCidrController.build(context);
  const work = async (): Promise<void> => {
    for (let [key] = cluster.queued; key !== undefined; [key] = cluster.queued) {
      cluster.queued.delete(key);
      await reconcile(key);
    }
  };
  const removing = (name: string): void => {
    const stored = cluster.get(SERVICE_CIDRS, name) as ServiceCIDR;
    const deletionTimestamp = formatTime(cluster.clock.now());
    cluster.load(SERVICE_CIDRS, { ...stored, metadata: { ...stored.metadata, deletionTimestamp } });
  };
  const release = (name: string): Promise<void> =>
    context.client.resource(IP_ADDRESSES).delete({ namespace: '', name });
  return { cluster, work, removing, release };
}

t.test('a range is kept and ready', async t => {
  const { cluster, work } = start([cidr('two', '172.31.0.0/28', 'fd00:9::/124')], []);
  await work();
  t.equal(state(cluster, 'two'), 'True');
  const { status } = cluster.get(SERVICE_CIDRS, 'two') as ServiceCIDR;
  t.match(status?.conditions, [{ reason: '', message: 'Kubernetes Service CIDR is ready' }]);
  t.same(
    cluster.actions.map(({ verb, subresource }) => `${verb} ${subresource ?? ''}`.trim()),
    ['patch', 'patch status'],
    'once',
  );
});

t.test('when a range may go', async t => {
  const two = cidr('two', '172.31.0.0/28', 'fd00:9::/124');
  const KEPT = 'False Terminating';
  const GOES = 'free to go';
  const rows: { name: string; others?: ServiceCIDR[]; addresses: string[]; by?: string; expect: string }[] = [
    { name: 'with nothing of it in use', addresses: [], expect: GOES },
    { name: 'not with an IPv4 address in use', addresses: ['172.31.0.5'], expect: KEPT },
    { name: 'nor an IPv6 one', addresses: ['fd00:9::5'], expect: KEPT },
    { name: 'nor the last of IPv6', addresses: ['fd00:9::f'], expect: KEPT },
    { name: 'addresses of others do not matter', addresses: ['172.31.0.16', '10.0.0.1'], expect: GOES },
    { name: 'nor those that it does not give', addresses: ['172.31.0.0', '172.31.0.15', 'fd00:9::'], expect: GOES },
    { name: 'nor what was made by hand', addresses: ['172.31.0.5'], by: 'me', expect: GOES },
    {
      name: 'another range with all of it',
      others: [cidr('wide', '172.31.0.0/24', 'fd00:9::/112')],
      addresses: ['172.31.0.5', 'fd00:9::5'],
      expect: GOES,
    },
    {
      name: 'ranges with all of it in two objects',
      others: [cidr('four', '172.31.0.0/28'), cidr('six', 'fd00:9::/124')],
      addresses: ['172.31.0.5', 'fd00:9::5'],
      expect: GOES,
    },
    {
      name: 'another range with the addresses in use',
      others: [cidr('low', '172.31.0.0/29')],
      addresses: ['172.31.0.5'],
      expect: GOES,
    },
    {
      name: 'another range without one of them',
      others: [cidr('low', '172.31.0.0/29')],
      addresses: ['172.31.0.5', '172.31.0.9'],
      expect: KEPT,
    },
    {
      name: 'another range that does not give it, as it is its last',
      others: [cidr('low', '172.31.0.0/29')],
      addresses: ['172.31.0.7'],
      expect: KEPT,
    },
  ];
  for (const { name, others = [], addresses, by, expect } of rows) {
    const { cluster, work, removing } = start(
      [two, ...others],
      addresses.map(ip => address(ip, by)),
    );
    await work();
    removing('two');
    await work();
    cluster.clock.step(10_000);
    await work();
    t.equal(state(cluster, 'two'), expect, name);
  }
});

t.test('a range that is kept goes when it is needed no more, and not before everybody knows', async t => {
  const ways = [
    { name: 'the address is freed', make: ({ release }: ReturnType<typeof start>) => release('172.31.0.5') },
    {
      name: 'a wider range comes',
      make: async ({ cluster }: ReturnType<typeof start>) => cluster.load(SERVICE_CIDRS, cidr('wide', '172.31.0.0/24')),
    },
  ];
  for (const { name, make } of ways) {
    const started = start([cidr('one', '172.31.0.0/28')], [address('172.31.0.5')]);
    const { cluster, work, removing } = started;
    await work();
    removing('one');
    await work();
    t.equal(state(cluster, 'one'), 'False Terminating', `before ${name}`);
    await make(started);
    await work();
    cluster.clock.step(9_999);
    await work();
    t.equal(state(cluster, 'one'), 'False Terminating', `${name}: for ten seconds addresses of it may still be given`);
    cluster.clock.step(1);
    await work();
    t.equal(state(cluster, 'one'), 'free to go', name);
  }
});
