import t from 'tap';
import type { Client, ResourceRef } from '../../../src/client/types.js';
import { ENDPOINT_SLICES, SERVICES } from '../../../src/client/resources.js';
import { publish, type PublishOptions } from '../../../src/dns/publish.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { notFoundError } from '../../../src/machinery/status.js';
import type { KubeObject } from '../../../src/machinery/types.js';

/** A client that keeps what is written, and remembers the verbs. */
function fakeClient(): { client: Client; objects: Map<string, KubeObject>; verbs: string[] } {
  const objects = new Map<string, KubeObject>();
  const verbs: string[] = [];
  const write = (verb: string, ref: ResourceRef, object: KubeObject): KubeObject => {
    verbs.push(`${verb} ${ref.resource}`);
    objects.set(`${ref.resource}/${object.metadata.name ?? ''}`, object);
    return object;
  };
  const resource = (ref: ResourceRef): unknown => ({
    get: async ({ name }: { name: string }) => {
      const found = objects.get(`${ref.resource}/${name}`);
      if (found === undefined) throw notFoundError(ref, name);
      return found;
    },
    create: async (_namespace: string, object: KubeObject) => write('create', ref, object),
    update: async (object: KubeObject) => write('update', ref, object),
  });
  return { client: { resource } as unknown as Client, objects, verbs };
}

t.test('the Service leads to this process', async t => {
  const { client, objects, verbs } = fakeClient();
  const options: PublishOptions = {
    client,
    clock: new FakeClock(),
    clusterIP: '10.96.0.10',
    hostAddress: '172.18.0.1',
    dnsPort: 40_053,
    metricsPort: 40_054,
    onError: error => t.error(error),
  };
  await publish(options);
  t.same(verbs.splice(0), ['create services', 'create endpointslices']);
  t.match(objects.get(`${SERVICES.resource}/kube-dns`), {
    metadata: { labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' } },
    spec: { clusterIP: '10.96.0.10', ports: [{ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'dns-tcp' }, {}] },
  });
  t.match(objects.get(`${ENDPOINT_SLICES.resource}/kube-dns-host`), {
    metadata: { labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    endpoints: [{ addresses: ['172.18.0.1'], conditions: { ready: true } }],
    ports: [
      { name: 'dns', port: 40_053, protocol: 'UDP' },
      { name: 'dns-tcp', port: 40_053, protocol: 'TCP' },
      { name: 'metrics', port: 40_054 },
    ],
  });
  await publish(options);
  t.same(verbs.splice(0), [], 'nothing to do the second time');
  await publish({ ...options, dnsPort: 40_055 });
  t.same(verbs.splice(0), ['update endpointslices'], 'a restart on another port');
  objects.set(`${SERVICES.resource}/kube-dns`, { metadata: { name: 'kube-dns', uid: 'new' } });
  await publish({ ...options, dnsPort: 40_055 });
  t.same(verbs.splice(0), ['update endpointslices'], 'a Service made anew owns the slice');
});
