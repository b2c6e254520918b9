import t from 'tap';
import { ENDPOINT_SLICES, INGRESS_CLASSES, INGRESSES, SECRETS, SERVICES } from '../../../src/client/resources.js';
import { watchBackends } from '../../../src/ingress/controller/backends.js';
import { createConfiguration, type Configuration } from '../../../src/ingress/controller/configuration.js';
import { watchIngresses } from '../../../src/ingress/controller/ingresses.js';
import { watchSecrets } from '../../../src/ingress/controller/secrets.js';
import type { Source } from '../../../src/ingress/controller/source.js';
import { ingressClass } from '../../../src/ingress/addon/objects.js';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import type { Ingress, KubeObject } from '../../../src/machinery/types.js';
import { requestPath } from '../../../src/ingress/routing/request-path.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';

const ADDRESS = '172.18.255.1';

const ingress = (name: string, spec: Ingress['spec'] = {}, metadata: object = {}): Ingress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { namespace: 'shop', name, uid: `uid-${name}`, creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
  spec: {
    ingressClassName: 'kubette',
    rules: [{ host: 'a.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: to('web') }] } }],
    ...spec,
  },
});
const to = (name: string, port: number | string = 80) => ({
  service: { name, port: typeof port === 'number' ? { number: port } : { name: port } },
});
const service = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name },
  spec: { ipFamilies: ['IPv4'], ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
});
const slice = (name: string, endpoints: object[], more: object = {}): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints,
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  ...more,
});

interface World {
  readonly cluster: FakeCluster;
  readonly configuration: Configuration;
  readonly source: Source;
  readonly endpoints: (port?: number | string) => string[];
  /** Does all that is to be told; gives what was told in Events. */
  readonly tell: () => Promise<string[]>;
}

function start(load: (cluster: FakeCluster) => void, addresses: readonly string[] = [ADDRESS]): World {
  const cluster = createFakeCluster();
  cluster.load(INGRESS_CLASSES, ingressClass());
  load(cluster);
  const { client, informers, clock, recorder } = cluster.context();
  const sources: Source[] = [];
  const configuration = createConfiguration({
    sources: () => sources,
    clock,
    defaultContext: 'default' as never,
    onCompiled: () => undefined,
  });
  const onChange = (): void => configuration.changed();
  const backends = watchBackends(informers, onChange);
  const secrets = watchSecrets(informers, onChange);
  const options = { client, informers, backends, secrets, recorder: recorder('test'), onChange };
  const source = watchIngresses({ ...options, addresses: () => addresses });
  sources.push(source);
  configuration.compile();
  return {
    cluster,
    configuration,
    source,
    endpoints: (port = 80) =>
      backends.endpointsOf({ namespace: 'shop', service: 'web', port }).map(at => `${at.address}:${at.port}`),
    async tell() {
      const before = cluster.events.length;
      for (const key of [...source.untold()]) await source.tell(key);
      return cluster.events.slice(before).map(({ type, reason }) => `${type} ${reason}`);
    },
  };
}

const who = ({ configuration }: World, host: string, port = 80): string | undefined =>
  configuration.routes(port)?.find({
    host,
    path: requestPath('/') ?? { text: '/', elements: [] },
    method: 'GET',
    header: () => undefined,
    parameter: () => undefined,
  })?.route.owner;

const shown = ({ cluster }: World, name: string): unknown =>
  (cluster.get(INGRESSES, `shop/${name}`) as Ingress | undefined)?.status?.loadBalancer?.ingress;

t.test('whose Ingresses are served', async t => {
  const rows: { name: string; of: Ingress; expect: boolean }[] = [
    { name: 'of its class', of: ingress('one'), expect: true },
    { name: 'of another', of: ingress('one', { ingressClassName: 'nginx' }), expect: false },
    {
      name: 'of a class that another controller has',
      of: ingress('one', { ingressClassName: 'other' }),
      expect: false,
    },
    { name: 'of a class of its own', of: ingress('one', { ingressClassName: 'mine' }), expect: true },
  ];
  const classed = (name: string, controller: string): KubeObject => ({
    ...ingressClass(),
    metadata: { name },
    spec: { controller },
  });
  for (const { name, of, expect } of rows) {
    const world = start(cluster => {
      cluster.load(
        INGRESS_CLASSES,
        classed('other', 'k8s.io/ingress-nginx'),
        classed('mine', 'kubette.io/ingress-controller'),
      );
      cluster.load(INGRESSES, of);
      cluster.load(SERVICES, service('web'));
    });
    t.equal(who(world, 'a.example.com'), expect ? 'Ingress shop/one' : undefined, name);
    t.equal(who(world, 'a.example.com', 443), expect ? 'Ingress shop/one' : undefined, `${name}, on HTTPS`);
    await world.tell();
    t.same(shown(world, 'one'), expect ? [{ ip: ADDRESS }] : undefined, `${name}, its status`);
  }
  const { ingressClassName: _none, ...spec } = ingress('one').spec ?? {};
  const annotated: Ingress = {
    ...ingress('one', {}, { annotations: { 'kubernetes.io/ingress.class': 'kubette' } }),
    spec,
  };
  t.equal(
    who(
      start(cluster => cluster.load(INGRESSES, annotated)),
      'a.example.com',
    ),
    'Ingress shop/one',
    'annotated',
  );
});

t.test('what its owner is told', async t => {
  const rows: { name: string; spec?: Ingress['spec']; metadata?: object; services?: KubeObject[]; expect: string[] }[] =
    [
      { name: 'all is well', services: [service('web')], expect: ['Normal Sync'] },
      { name: 'no Service', expect: ['Normal Sync', 'Warning ServiceNotFound'] },
      {
        name: 'no such port',
        services: [service('web', { ports: [{ name: 'http', port: 81 }] })],
        expect: ['Normal Sync', 'Warning ServicePortNotFound'],
      },
      {
        name: 'a Service that is somewhere else',
        services: [service('web', { type: 'ExternalName', externalName: 'example.com' })],
        expect: ['Normal Sync', 'Warning UnsupportedBackend'],
      },
      {
        name: 'a backend that is no Service',
        services: [service('web')],
        spec: { defaultBackend: { resource: { kind: 'Bucket', name: 'static' } } },
        expect: ['Normal Sync', 'Warning UnsupportedBackend'],
      },
      {
        name: 'no Secret',
        services: [service('web')],
        spec: { tls: [{ hosts: ['a.example.com'], secretName: 'cert' }] },
        expect: ['Normal Sync', 'Warning SecretNotFound'],
      },
      {
        name: 'an annotation that is not known',
        services: [service('web')],
        metadata: { annotations: { 'nginx.ingress.kubernetes.io/canary': 'true' } },
        expect: ['Normal Sync', 'Warning UnsupportedAnnotation'],
      },
    ];
  for (const { name, spec = {}, metadata = {}, services = [], expect } of rows) {
    const world = start(cluster => {
      cluster.load(INGRESSES, ingress('one', spec, metadata));
      cluster.load(SERVICES, ...services);
    });
    t.same(await world.tell(), expect, name);
    world.configuration.compile();
    t.same(await world.tell(), [], `${name}, once`);
  }
});

t.test('changes', async t => {
  const world = start(cluster => {
    cluster.load(INGRESSES, ingress('one'));
  });
  const { cluster } = world;
  await world.tell();
  cluster.load(SERVICES, service('web'));
  cluster.load(INGRESSES, ingress('two', { rules: [{ host: 'b.example.com' }], defaultBackend: to('web') }));
  t.equal(who(world, 'b.example.com'), undefined, 'changes are gathered');
  cluster.clock.step(20);
  t.equal(who(world, 'b.example.com'), 'Ingress shop/two');
  t.same(await world.tell(), ['Normal Sync'], 'what is right now is told of nobody');
  t.equal(cluster.actions.filter(({ verb }) => verb === 'patch').length, 2, 'a status is written once');
});

t.test('who answers for a Service', async t => {
  const ready = (...addresses: string[]) => ({ addresses, conditions: { ready: true } });
  const world = start(cluster => {
    cluster.load(
      SERVICES,
      service('web', {
        ports: [
          { name: 'http', port: 80 },
          { name: 'udp', port: 53, protocol: 'UDP' },
        ],
      }),
    );
    cluster.load(
      ENDPOINT_SLICES,
      slice('b', [ready('10.244.0.3'), { addresses: ['10.244.0.9'], conditions: { ready: false } }]),
      slice('a', [ready('10.244.0.2'), ready('10.244.0.3')]),
      slice('six', [ready('fd00::2')], { addressType: 'IPv6' }),
      slice('other', [ready('10.244.0.7')], { ports: [{ name: 'admin', port: 9000 }] }),
    );
  });
  const { cluster, endpoints } = world;
  t.same(endpoints(), ['10.244.0.2:8080', '10.244.0.3:8080'], 'each ready address of its first family once');
  t.same(endpoints('http'), ['10.244.0.2:8080', '10.244.0.3:8080'], 'by the name of its port');
  t.same([...endpoints(81), ...endpoints('none'), ...endpoints('udp')], [], 'no port, nobody');
  cluster.load(ENDPOINT_SLICES, slice('a', [ready('10.244.0.5')]));
  t.same(endpoints(), ['10.244.0.3:8080', '10.244.0.5:8080'], 'as it is now');
  cluster.load(SERVICES, service('web', { ports: [{ name: 'admin', port: 80 }] }));
  t.same(endpoints(), ['10.244.0.7:9000'], 'another port, others');
});

t.test('certificates', async t => {
  const pair = issueCertificate({
    ...{ subject: { commonName: 'x' }, usage: 'server', notBefore: 0, notAfter: Date.parse('2030-01-01') },
  });
  const other = issueCertificate({
    ...{ subject: { commonName: 'y' }, usage: 'server', notBefore: 0, notAfter: Date.parse('2030-01-01') },
  });
  const secret = (cert: string, key: string): KubeObject => {
    const data = Object.fromEntries(
      [
        ['tls.crt', cert],
        ['tls.key', key],
      ].map(([name = '', text = '']) => [name, Buffer.from(text).toString('base64')]),
    );
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { namespace: 'shop', name: 'cert' },
      data,
    };
  };
  const rows: { name: string; secret: KubeObject; expect: RegExp | undefined }[] = [
    { name: 'a pair', secret: secret(pair.cert, pair.key), expect: undefined },
    { name: 'of two', secret: secret(pair.cert, other.key), expect: /tls\.key is not the key of tls\.crt/ },
    { name: 'no certificate', secret: secret('hello', pair.key), expect: /tls\.crt is no certificate/ },
    { name: 'no key', secret: secret(pair.cert, ''), expect: /has no tls\.key/ },
  ];
  for (const { name, secret: given, expect } of rows) {
    const world = start(cluster => {
      cluster.load(
        INGRESSES,
        ingress('one', { tls: [{ hosts: ['a.example.com', '*.b.example.com'], secretName: 'cert' }] }),
      );
      cluster.load(SERVICES, service('web'));
      cluster.load(SECRETS, given);
    });
    await world.tell();
    const warning = world.cluster.events.find(({ type }) => type === 'Warning');
    if (expect === undefined) t.equal(warning, undefined, name);
    else t.match(warning?.message, expect, name);
    const has = (host: string): boolean => (world.configuration.contextOf(host) as unknown) !== 'default';
    t.same(
      ['A.example.com', 'x.b.example.com', 'y.x.b.example.com', 'c.example.com'].map(has),
      expect === undefined ? [true, true, false, false] : [false, false, false, false],
      name,
    );
  }
});
