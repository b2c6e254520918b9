import t from 'tap';
import { ENDPOINTS, PODS, SERVICES } from '../../../src/client/resources.js';
import { byHash, fnv128a, printPort } from '../../../src/controllers/endpoints/hash-order.js';
import { endpointsController } from '../../../src/controllers/endpoints/controller.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';
import { NOW, pod, service } from '../../support/controlled-objects.js';

t.test('Endpoints of a Service', async t => {
  const rows = [
    {
      name: 'ready and not ready addresses, sorted',
      pods: [
        pod({ name: 'b', ip: '10.0.0.2' }),
        pod({ name: 'a', ip: '10.0.0.1' }),
        pod({ name: 'c', ip: '10.0.0.3', ready: false }),
      ],
      expect: [{ ready: ['10.0.0.1', '10.0.0.2'], notReady: ['10.0.0.3'], ports: [8080] }],
    },
    {
      name: 'terminal, deleting, unselected and addressless Pods do not count',
      pods: [
        pod({ name: 'a', ip: '10.0.0.1', phase: 'Succeeded' }),
        pod({ name: 'b', ip: '10.0.0.2', deleting: true }),
        pod({ name: 'c', ip: '10.0.0.3', labels: { app: 'other' } }),
        pod({ name: 'd' }),
      ],
      expect: [],
    },
    {
      name: 'publishNotReadyAddresses publishes all, also deleting ones',
      service: service({ publishNotReadyAddresses: true }),
      pods: [pod({ name: 'a', ip: '10.0.0.1', ready: false }), pod({ name: 'b', ip: '10.0.0.2', deleting: true })],
      expect: [{ ready: ['10.0.0.1', '10.0.0.2'], notReady: [], ports: [8080] }],
    },
    {
      name: 'a named port that a Pod lacks leaves the Pod out',
      service: service({ ports: [{ port: 80, targetPort: 'grpc' }] }),
      pods: [pod({ name: 'a', ip: '10.0.0.1' })],
      expect: [],
    },
    {
      name: 'a headless Service without ports keeps its addresses',
      service: service({ clusterIP: 'None', ports: [] }),
      pods: [pod({ name: 'a', ip: '10.0.0.1' })],
      expect: [{ ready: ['10.0.0.1'], notReady: [], ports: [] }],
    },
  ];
  for (const row of rows) {
    const cluster = createFakeCluster();
    cluster.load(SERVICES, row.service ?? service());
    cluster.load(PODS, ...row.pods);
    await endpointsController.build(cluster.context()).reconcile('default/web');
    const made = cluster.get(ENDPOINTS, 'default/web') as {
      subsets?: { addresses?: { ip: string }[]; notReadyAddresses?: { ip: string }[]; ports?: { port: number }[] }[];
    };
    const got = (made.subsets ?? []).map(s => ({
      ready: (s.addresses ?? []).map(a => a.ip),
      notReady: (s.notReadyAddresses ?? []).map(a => a.ip),
      ports: (s.ports ?? []).map(p => p.port),
    }));
    t.same(got, row.expect, row.name);
  }
  const cluster = createFakeCluster();
  cluster.load(SERVICES, service());
  cluster.load(PODS, pod({ name: 'a', ip: '10.0.0.1' }));
  const { reconcile } = endpointsController.build(cluster.context());
  await reconcile('default/web');
  const { metadata } = cluster.get(ENDPOINTS, 'default/web') as KubeObject;
  t.same(metadata.labels, { team: 'x', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' });
  t.equal(metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time'], NOW);
  await reconcile('default/web');
  t.equal(cluster.actions.length, 1, 'nothing changed, nothing written');
});

t.test('Endpoints keep upstream’s order, which is a hash’s', async t => {
  t.equal(fnv128a(''), '6c62272e07bb014262b821756295c58d');
  t.equal(fnv128a('foobar'), '343e1662793c64bf6f0d3597ba446f18');
  const ports = [
    { name: 'alt', port: 9999, protocol: 'TCP' },
    { name: 'http', port: 8080, protocol: 'TCP' },
  ];
  t.equal(
    printPort(ports[1]!),
    '(v1.EndpointPort){Name:(string)http Port:(int32)8080 Protocol:(v1.Protocol)TCP AppProtocol:(*string)<nil>}',
  );
  t.same(
    byHash(ports, printPort).map(p => p.name),
    ['http', 'alt'],
  );
});
