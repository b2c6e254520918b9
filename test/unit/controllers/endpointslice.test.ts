import t from 'tap';
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../../../src/client/resources.js';
import { endpointSliceController } from '../../../src/controllers/endpointslice/controller.js';
import { MAX_ENDPOINTS_PER_SLICE } from '../../../src/controllers/endpointslice/plan.js';
import type { EndpointSlice } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { pod, service, node } from '../../support/controlled-objects.js';

const slicesOf = (cluster: ReturnType<typeof createFakeCluster>): EndpointSlice[] =>
  cluster.list(ENDPOINT_SLICES) as EndpointSlice[];

t.test('EndpointSlices of a Service', async t => {
  t.test('conditions say ready, serving, terminating', async t => {
    const cluster = createFakeCluster();
    cluster.load(NODES, node('n1', { labels: { 'topology.kubernetes.io/zone': 'z1' } }));
    cluster.load(SERVICES, service({ trafficDistribution: 'PreferClose' }));
    cluster.load(
      PODS,
      pod({ name: 'a', ip: '10.0.0.1' }),
      pod({ name: 'b', ip: '10.0.0.2', deleting: true }),
      pod({ name: 'c', ip: '10.0.0.3', node: 'gone' }),
    );
    const { reconcile } = endpointSliceController.build(cluster.context());
    await t.rejects(reconcile('default/web'), {
      message: 'skipping Pod c for Service default/web: Node gone Not Found',
    });
    t.match(cluster.events, [{ type: 'Warning', reason: 'FailedToUpdateEndpointSlices' }]);
    const [slice] = slicesOf(cluster);
    t.match(slice, {
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      metadata: {
        labels: {
          team: 'x',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
      },
    });
    t.same(
      slice?.endpoints?.map(e => [
        e.addresses[0],
        e.conditions?.ready,
        e.conditions?.serving,
        e.conditions?.terminating,
        e.zone,
        e.hints?.forZones?.[0]?.name,
      ]),
      [
        ['10.0.0.1', true, true, false, 'z1', 'z1'],
        ['10.0.0.2', false, true, true, 'z1', undefined],
      ],
      'a Pod whose node is gone is left out',
    );
  });

  t.test('no Pods: one placeholder, kept as it is', async t => {
    const cluster = createFakeCluster();
    cluster.load(SERVICES, service());
    const { reconcile } = endpointSliceController.build(cluster.context());
    await reconcile('default/web');
    await reconcile('default/web');
    t.equal(cluster.actions.length, 1);
    t.same(
      slicesOf(cluster).map(s => [s.endpoints, s.ports]),
      [[undefined, undefined]],
      'empty lists are nobody’s field',
    );
  });

  t.test('packing', async t => {
    const cluster = createFakeCluster();
    cluster.load(NODES, node('n1'));
    cluster.load(SERVICES, service());
    const address = (i: number): string => `10.0.${Math.floor(i / 250)}.${(i % 250) + 1}`;
    for (let i = 0; i < 250; i++) cluster.load(PODS, pod({ name: `p${i}`, ip: address(i) }));
    const { reconcile } = endpointSliceController.build(cluster.context());
    await reconcile('default/web');
    t.same(
      slicesOf(cluster)
        .map(s => s.endpoints?.length)
        .sort(),
      [100, 100, 50],
    );
    cluster.actions.length = 0;
    cluster.load(PODS, pod({ name: 'p250', ip: address(250) }));
    await reconcile('default/web');
    t.same(
      cluster.actions.map(a => a.verb),
      ['update'],
      'one more endpoint goes into the slice with room',
    );
    cluster.actions.length = 0;
    cluster.load(PODS, pod({ name: 'p0', ip: address(0), ready: false }));
    await reconcile('default/web');
    t.same(
      cluster.actions.map(a => a.verb),
      ['update'],
      'a changed endpoint rewrites its slice only',
    );
    t.ok(slicesOf(cluster).every(s => (s.endpoints ?? []).length <= MAX_ENDPOINTS_PER_SLICE));
  });

  t.test('a change of the ports reuses the slice', async t => {
    const cluster = createFakeCluster();
    cluster.load(NODES, node('n1'));
    cluster.load(SERVICES, service());
    cluster.load(PODS, pod({ name: 'a', ip: '10.0.0.1' }));
    const { reconcile } = endpointSliceController.build(cluster.context());
    await reconcile('default/web');
    cluster.actions.length = 0;
    cluster.load(SERVICES, service({ ports: [{ port: 80, targetPort: 9090, protocol: 'TCP' }] }));
    await reconcile('default/web');
    t.same(
      cluster.actions.map(a => a.verb),
      ['update'],
    );
    t.equal(slicesOf(cluster)[0]?.ports?.[0]?.port, 9090);
  });
});
