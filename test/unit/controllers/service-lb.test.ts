import t from 'tap';
import { SERVICES } from '../../../src/client/resources.js';
import { serviceLbController } from '../../../src/controllers/servicelb/controller.js';
import { conflictError } from '../../../src/machinery/status.js';
import type { Service } from '../../../src/machinery/types.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';

const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup';
/** Addresses .1 to .2. */
const RANGE = '172.18.255.0/30';
const [ONE, TWO] = ['172.18.255.1', '172.18.255.2'];

type Facts = Service['spec'] & { shown?: string; finalizer?: boolean; deleting?: boolean };

const service = (name: string, { shown, finalizer = false, deleting = false, ...spec }: Facts = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    namespace: 'shop',
    name,
    uid: `uid-${name}`,
    ...(finalizer ? { finalizers: [FINALIZER] } : {}),
    ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: { type: 'LoadBalancer', ipFamilies: ['IPv4'], ports: [{ port: 80 }], ...spec },
  status: { loadBalancer: shown === undefined ? {} : { ingress: [{ ip: shown, ipMode: 'VIP' }] } },
});
/** One that the controller has seen to. */
const ensured = (name: string, shown: string, facts: Facts = {}): Service =>
  service(name, { shown, finalizer: true, ...facts });

const keyOf = (name: string): string => `shop/${name}`;
const stored = (cluster: FakeCluster, name: string): Service | undefined => cluster.get(SERVICES, keyOf(name));
/** "a=172.18.255.1 b=-" */
const addresses = (cluster: FakeCluster): string =>
  (cluster.list(SERVICES) as Service[])
    .map(({ metadata, status }) => {
      const ingress = status?.loadBalancer?.ingress ?? [];
      return `${metadata.name ?? ''}=${ingress.map(({ ip = '' }) => ip).join('+') || '-'}`;
    })
    .sort()
    .join(' ');

/** A controller over what is loaded, and a queue that is worked off until nothing is left in it. */
function start(loaded: readonly Service[], loadBalancerCidr: string | undefined = RANGE) {
  const cluster = createFakeCluster();
  cluster.load(SERVICES, ...loaded);
  const context = cluster.context(loadBalancerCidr === '' ? {} : { loadBalancerCidr });
  const { reconcile } = serviceLbController.build(context);
  const work = async (): Promise<void> => {
    for (let [key] = cluster.queued; key !== undefined; [key] = cluster.queued) {
      cluster.queued.delete(key);
      await reconcile(key);
    }
  };
  return {
    cluster,
    work,
    remove: (name: string) => context.client.resource(SERVICES).delete({ namespace: 'shop', name }),
  };
}
const reasons = ({ events }: FakeCluster): string[] => events.map(({ reason }) => reason);

t.test('who gets which address at a start', async t => {
  const rows: { name: string; services: Service[]; cidr?: string; expect: string; warnings?: string[] }[] = [
    { name: 'the lowest that is free', services: [service('a'), service('b')], expect: `a=${ONE} b=${TWO}` },
    {
      name: 'what the statuses say stays, and is seen before anything is given',
      services: [service('a'), ensured('b', ONE)],
      expect: `a=${TWO} b=${ONE}`,
    },
    {
      name: 'one that asks gets what it asks for',
      services: [service('a', { loadBalancerIP: TWO }), service('b')],
      expect: `a=${TWO} b=${ONE}`,
    },
    {
      name: 'not what another has',
      services: [service('a', { loadBalancerIP: ONE }), ensured('b', ONE)],
      expect: `a=- b=${ONE}`,
      warnings: [`load balancer IP ${ONE} is in use`],
    },
    {
      name: 'not what is beyond the range',
      services: [service('a', { loadBalancerIP: '10.0.0.1' })],
      expect: 'a=-',
      warnings: [`load balancer IP 10.0.0.1 is no address of ${RANGE}`],
    },
    {
      name: 'nor what names the network',
      services: [service('a', { loadBalancerIP: '172.18.255.0' })],
      expect: 'a=-',
      warnings: [`load balancer IP 172.18.255.0 is no address of ${RANGE}`],
    },
    {
      name: 'no more than there are',
      services: [service('a'), service('b'), service('c')],
      expect: `a=${ONE} b=${TWO} c=-`,
      warnings: [`no address of ${RANGE} is free`],
    },
    {
      name: 'no address is in two Services',
      services: [ensured('a', ONE), ensured('b', ONE)],
      expect: `a=${ONE} b=${TWO}`,
    },
    { name: 'an address of an older range goes', services: [ensured('a', '10.9.8.7')], expect: `a=${ONE}` },
    { name: 'a class is somebody else’s', services: [service('a', { loadBalancerClass: 'x/y' })], expect: 'a=-' },
    {
      name: 'what somebody else has given is not given again',
      services: [service('a'), service('b', { loadBalancerClass: 'x/y', shown: ONE })],
      expect: `a=${TWO} b=${ONE}`,
    },
    { name: 'other types have none', services: [service('a', { type: 'NodePort' })], expect: 'a=-' },
    {
      name: 'another family',
      services: [service('a', { ipFamilies: ['IPv6'] })],
      expect: 'a=-',
      warnings: [`${RANGE} has no addresses of the Service's family, IPv6`],
    },
    {
      name: 'a range of IPv6',
      cidr: 'fd00:18:ff::/120',
      services: [service('a', { ipFamilies: ['IPv6'] })],
      expect: 'a=fd00:18:ff::1',
    },
    {
      name: 'one of each family, in the order of the families',
      cidr: `${RANGE},fd00:18:ff::/120`,
      services: [
        service('a', { ipFamilies: ['IPv4', 'IPv6'] }),
        service('b', { ipFamilies: ['IPv6', 'IPv4'], loadBalancerIP: 'fd00:18:ff::9' }),
        service('c', { ipFamilies: ['IPv6'] }),
      ],
      expect: `a=${ONE}+fd00:18:ff::1 b=fd00:18:ff::9+${TWO} c=fd00:18:ff::2`,
    },
    {
      name: 'of the family that there is',
      services: [service('a', { ipFamilies: ['IPv6', 'IPv4'] })],
      expect: `a=${ONE}`,
    },
    {
      name: 'all or none',
      cidr: `${RANGE},fd00:18:ff::/128`,
      services: [service('a', { ipFamilies: ['IPv6'] }), service('b', { ipFamilies: ['IPv4', 'IPv6'] })],
      expect: 'a=fd00:18:ff:: b=-',
      warnings: ['no address of fd00:18:ff::/128 is free'],
    },
    { name: 'without a range nothing is done', cidr: '', services: [service('a')], expect: 'a=-' },
    { name: 'one that goes and is not ours gets nothing', services: [service('a', { deleting: true })], expect: 'a=-' },
  ];
  for (const { name, services, cidr, expect, warnings = [] } of rows) {
    const { cluster, work } = start(services, cidr);
    await work();
    t.equal(addresses(cluster), expect, name);
    t.same(
      cluster.events.filter(({ type }) => type === 'Warning').map(({ reason, message }) => `${reason}: ${message}`),
      warnings.map(
        text => `SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: ${text}`,
      ),
      `${name}: warnings`,
    );
  }
});

t.test('what is written, and told', async t => {
  const { cluster, work } = start([service('a')]);
  await work();
  const { metadata, status } = stored(cluster, 'a') ?? {};
  t.same(metadata?.finalizers, [FINALIZER]);
  t.same(status, { loadBalancer: { ingress: [{ ip: ONE, ipMode: 'VIP' }] } });
  t.same(reasons(cluster), ['EnsuringLoadBalancer', 'EnsuredLoadBalancer']);
  t.same(
    [...new Set(cluster.actions.map(({ verb, subresource }) => `${verb} ${subresource ?? ''}`))],
    ['patch status'],
    'by the status alone, which its role allows',
  );
  t.same(
    cluster.actions.map(({ body }) => Object.keys(body as object)),
    [['metadata'], ['metadata', 'status']],
    'the finalizer before the address',
  );
  cluster.load(SERVICES, stored(cluster, 'a') as Service);
  await work();
  t.equal(cluster.actions.length, 2, 'a restart or another event writes nothing');
});

t.test('what happens to a Service with an address', async t => {
  const rows: { name: string; next: Service; expect: string; finalizer: boolean; told: string[] }[] = [
    {
      name: 'its type changes',
      next: service('a', { type: 'ClusterIP', finalizer: true }),
      expect: `a=- b=${TWO} c=${ONE}`,
      finalizer: false,
      told: ['Type', 'DeletingLoadBalancer', 'DeletedLoadBalancer', 'EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    },
    {
      name: 'it is deleted, and somebody else still holds it',
      next: ensured('a', ONE, { deleting: true }),
      expect: `a=- b=${TWO} c=${ONE}`,
      finalizer: false,
      told: ['DeletingLoadBalancer', 'DeletedLoadBalancer', 'EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    },
    {
      name: 'somebody takes its status away',
      next: service('a', { finalizer: true }),
      expect: `a=${ONE} b=${TWO} c=-`,
      finalizer: true,
      told: ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    },
    {
      name: 'somebody takes its finalizer away',
      next: service('a', { shown: ONE }),
      expect: `a=${ONE} b=${TWO} c=-`,
      finalizer: true,
      told: ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    },
    {
      name: 'its ports change',
      next: ensured('a', ONE, { ports: [{ port: 81 }] }),
      expect: `a=${ONE} b=${TWO} c=-`,
      finalizer: true,
      told: ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    },
    {
      name: 'it asks for an address that another has, and keeps its own',
      next: ensured('a', ONE, { loadBalancerIP: TWO }),
      expect: `a=${ONE} b=${TWO} c=-`,
      finalizer: true,
      told: ['LoadbalancerIP', 'EnsuringLoadBalancer', 'SyncLoadBalancerFailed'],
    },
  ];
  for (const { name, next, expect, finalizer, told } of rows) {
    const { cluster, work } = start([ensured('a', ONE), ensured('b', TWO), service('c')]);
    await work();
    const before = cluster.events.length;
    cluster.load(SERVICES, next);
    await work();
    t.equal(addresses(cluster), expect, name);
    t.equal(stored(cluster, 'a')?.metadata.finalizers?.includes(FINALIZER) ?? false, finalizer, `${name}: finalizer`);
    t.same(reasons(cluster).slice(before), told, `${name}: Events`);
  }
});

t.test('who waits gets what is freed, and is told once why it waits', async t => {
  const { cluster, work, remove } = start([
    ensured('a', ONE),
    ensured('b', TWO),
    service('c'),
    service('d', { loadBalancerIP: TWO }),
  ]);
  await work();
  t.equal(addresses(cluster), `a=${ONE} b=${TWO} c=- d=-`);
  const before = cluster.events.length;
  await remove('a');
  await work();
  t.equal(addresses(cluster), `b=${TWO} c=${ONE} d=-`, 'one that asks for another address goes on waiting');
  t.same(reasons(cluster).slice(before), ['EnsuringLoadBalancer', 'EnsuredLoadBalancer']);
  await remove('b');
  await work();
  t.equal(addresses(cluster), `c=${ONE} d=${TWO}`);
  cluster.load(SERVICES, ensured('c', ONE, { loadBalancerIP: TWO }), service('e'));
  await work();
  t.equal(addresses(cluster), `c=${ONE} d=${TWO} e=-`);
  await remove('d');
  await work();
  t.equal(addresses(cluster), `c=${TWO} e=${ONE}`, 'one moves to what it asked for, which frees what it had');
});

t.test('writes that fail', async t => {
  const rows = [
    {
      name: 'a conflict is tried again',
      error: conflictError({ group: '', resource: 'services' }, 'a', 'newer'),
      told: [],
    },
    { name: 'others are told', error: new Error('no'), told: ['SyncLoadBalancerFailed'] },
  ];
  for (const { name, error, told } of rows) {
    const { cluster, work } = start([service('a')]);
    cluster.failNext('patch', 'services', error);
    await t.rejects(work(), error, name);
    t.same(reasons(cluster), ['EnsuringLoadBalancer', ...told], name);
    cluster.load(SERVICES, service('a', { ports: [{ port: 81 }] }));
    await work();
    t.equal(addresses(cluster), `a=${ONE}`, name);
  }
});

t.test('a family comes and goes', async t => {
  const { cluster, work } = start([ensured('a', ONE)], `${RANGE},fd00:18:ff::/128`);
  await work();
  cluster.load(SERVICES, ensured('a', ONE, { ipFamilies: ['IPv4', 'IPv6'] }), service('b', { ipFamilies: ['IPv6'] }));
  await work();
  t.equal(addresses(cluster), `a=${ONE}+fd00:18:ff:: b=-`);
  const one = stored(cluster, 'a') as Service;
  cluster.load(SERVICES, { ...one, spec: { ...one.spec, ipFamilies: ['IPv4'] } });
  await work();
  t.equal(addresses(cluster), `a=${ONE} b=fd00:18:ff::`, 'who waits gets what is freed');
});
