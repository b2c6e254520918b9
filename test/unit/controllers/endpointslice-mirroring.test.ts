import t from 'tap';
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from '../../../src/client/resources.js';
import { endpointSliceMirroringController } from '../../../src/controllers/endpointslicemirroring/controller.js';
import { mirror, tooMany } from '../../../src/controllers/endpointslicemirroring/mirror.js';
import type { Endpoints, EndpointSlice, Service } from '../../../src/machinery/types.js';
import { createFakeCluster } from '../../support/fake-cluster.js';

type Subset = NonNullable<Endpoints['subsets']>[number];
const endpoints = (...subsets: Subset[]): Endpoints => ({ metadata: { namespace: 'shop', name: 'web' }, subsets });
const at = (...ips: string[]) => ips.map(ip => ({ ip }));
const http = { name: 'http', port: 80, protocol: 'TCP' };
const https = { name: 'https', port: 443, protocol: 'TCP' };

/** "IPv4 http,https: 10.0.0.1 !10.0.0.2" for each slice; what is not ready has a "!". */
const shown = (object: Endpoints): string[] =>
  mirror(object).slices.map(({ addressType, ports, endpoints: list }) => {
    const ends = (list ?? []).map(
      ({ addresses, conditions }) => `${conditions?.ready === true ? '' : '!'}${addresses[0] ?? ''}`,
    );
    return `${addressType} ${(ports ?? []).map(port => port.name).join(',')}: ${ends.join(' ')}`;
  });

t.test('Endpoints that people write, as slices', async t => {
  const rows = [
    {
      name: 'one subset',
      object: endpoints({ addresses: at('10.0.0.2', '10.0.0.1'), ports: [http] }),
      expect: ['IPv4 http: 10.0.0.1 10.0.0.2'],
    },
    {
      name: 'a family each',
      object: endpoints({ addresses: at('10.0.0.1', 'fd00::1'), ports: [http] }),
      expect: ['IPv4 http: 10.0.0.1', 'IPv6 http: fd00::1'],
    },
    {
      name: 'what is not ready',
      object: endpoints({ addresses: at('10.0.0.2'), notReadyAddresses: at('10.0.0.1'), ports: [http] }),
      expect: ['IPv4 http: !10.0.0.1 10.0.0.2'],
    },
    {
      name: 'subsets with the same ports are one',
      object: endpoints({ addresses: at('10.0.0.1'), ports: [http] }, { addresses: at('10.0.0.2'), ports: [http] }),
      expect: ['IPv4 http: 10.0.0.1 10.0.0.2'],
    },
    {
      name: 'ports with the same addresses are one',
      object: endpoints({ addresses: at('10.0.0.1'), ports: [http] }, { addresses: at('10.0.0.1'), ports: [https] }),
      expect: ['IPv4 http,https: 10.0.0.1'],
    },
    {
      name: 'ports with other addresses are not',
      object: endpoints(
        { addresses: at('10.0.0.1', '10.0.0.2'), ports: [http] },
        { addresses: at('10.0.0.2'), ports: [https] },
      ),
      expect: ['IPv4 http: 10.0.0.1 10.0.0.2', 'IPv4 https: 10.0.0.2'],
    },
    {
      name: 'ready here and not there is not ready',
      object: endpoints(
        { addresses: at('10.0.0.1'), ports: [http] },
        { notReadyAddresses: at('10.0.0.1'), ports: [http] },
      ),
      expect: ['IPv4 http: !10.0.0.1'],
    },
    { name: 'no ports', object: endpoints({ addresses: at('10.0.0.1') }), expect: ['IPv4 : 10.0.0.1'] },
    { name: 'no addresses', object: endpoints({ ports: [http] }), expect: [] },
  ];
  for (const { name, object, expect } of rows) t.same(shown(object), expect, name);
});

t.test('no more than a thousand addresses of a subset, ready ones first', async t => {
  const many = (first: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `10.${first}.${i >> 8}.${i & 255}`);
  const { slices, skipped } = mirror(
    endpoints({ addresses: at(...many(1, 600)), notReadyAddresses: at(...many(0, 600)), ports: [http] }),
  );
  t.equal(skipped, 200);
  t.equal(slices[0]?.endpoints?.length, 1000);
  t.equal(slices[0]?.endpoints?.filter(({ conditions }) => conditions?.ready === true).length, 600);
  t.match(tooMany(skipped), /A max of 1000 addresses can be mirrored .* 200 addresses were skipped/);
});

t.test('slices that others make in the name of this controller', async t => {
  const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
  const slice = (name: string, labels: Record<string, string>): EndpointSlice => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': 'web', ...labels } },
    addressType: 'IPv4',
    endpoints: [],
  });
  const service = (spec: NonNullable<Service['spec']>): Service => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name: 'web' },
    spec,
  });
  const ours = { [MANAGED_BY]: 'endpointslicemirroring-controller.k8s.io' };
  const rows = [
    { name: 'go', spec: { selector: { app: 'web' } }, labels: ours, expect: [] },
    { name: 'go too where nothing is selected', spec: {}, labels: ours, expect: ['IPv4 http'] },
    { name: 'stay in another name', spec: {}, labels: { [MANAGED_BY]: 'me' }, expect: ['IPv4 -', 'IPv4 http'] },
    { name: 'stay in no name', spec: {}, labels: {}, expect: ['IPv4 -', 'IPv4 http'] },
  ];
  for (const { name, spec, labels, expect } of rows) {
    const cluster = createFakeCluster();
    const { reconcile } = endpointSliceMirroringController.build(cluster.context());
    const work = async (): Promise<void> => {
      for (let [key] = cluster.queued; key !== undefined; [key] = cluster.queued) {
        cluster.queued.delete(key);
        await reconcile(key);
      }
    };
    cluster.load(SERVICES, service(spec));
    cluster.load(ENDPOINTS, endpoints({ addresses: at('10.0.0.1'), ports: [http] }));
    await work();
    cluster.load(ENDPOINT_SLICES, slice('foreign', labels));
    await work();
    const left = (cluster.list(ENDPOINT_SLICES) as EndpointSlice[]).map(
      ({ addressType, ports }) => `${addressType} ${(ports ?? []).map(port => port.name).join() || '-'}`,
    );
    t.same(left.sort(), expect, name);
  }
});
