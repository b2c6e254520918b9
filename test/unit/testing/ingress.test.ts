import t from 'tap';
import { Cluster, type ApiObject } from '../../../src/testing/index.js';

/* Ingresses and Gateways in a cluster for tests: what brings the controller, and that it is there again after a reset. */
t.setTimeout(300_000);

const GROUP = 'gateway.networking.k8s.io';

/** A definition that lets everything through: what Gateway API's say themselves is for its own tests. */
const definition = (plural: string, kind: string, version: string, scope: string): ApiObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `${plural}.${GROUP}`,
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api/pull/1' },
  },
  spec: {
    group: GROUP,
    scope,
    names: { plural, singular: kind.toLowerCase(), kind },
    versions: [
      {
        ...{ name: version, served: true, storage: true, subresources: { status: {} } },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
const DEFINITIONS = [
  definition('gatewayclasses', 'GatewayClass', 'v1', 'Cluster'),
  definition('gateways', 'Gateway', 'v1', 'Namespaced'),
  definition('httproutes', 'HTTPRoute', 'v1', 'Namespaced'),
  definition('referencegrants', 'ReferenceGrant', 'v1beta1', 'Namespaced'),
];

const WEB: ApiObject[] = [
  {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { app: 'web' } } },
    spec: { containers: [{ name: 'web', image: 'nginx', ports: [{ containerPort: 80 }] }] },
  },
  {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  },
];
const INGRESS: ApiObject = {
  ...{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'web' } },
  spec: {
    rules: [
      {
        host: 'ingress.example.com',
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
        },
      },
    ],
  },
};
const GATEWAY: ApiObject[] = [
  {
    ...{ apiVersion: `${GROUP}/v1`, kind: 'Gateway', metadata: { name: 'gw' } },
    spec: { gatewayClassName: 'kubette', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
  },
  {
    ...{ apiVersion: `${GROUP}/v1`, kind: 'HTTPRoute', metadata: { name: 'web' } },
    spec: {
      parentRefs: [{ name: 'gw' }],
      hostnames: ['gateway.example.com'],
      rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
    },
  },
];

/** A Pod that succeeds when it is answered for a host. */
const asking = (name: string, host: string): ApiObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
  spec: {
    restartPolicy: 'Never',
    containers: [
      {
        ...{ name: 'curl', image: 'curlimages/curl' },
        command: ['curl', '-sSf', '-o', '/dev/null', '-H', `Host: ${host}`, 'http://kubette-ingress.kubette-ingress/'],
      },
    ],
  },
});
const phaseOf = (object: ApiObject | undefined): string | undefined =>
  (object?.['status'] as { phase?: string } | undefined)?.phase;

t.test('the first Ingress brings the controller, Gateway API’s definitions do, and both come back', async t => {
  const cluster = await Cluster.create({ ingress: true, seed: 1 });
  t.teardown(() => cluster.stop());
  const ask = async (name: string, host: string): Promise<string | undefined> => {
    await cluster.apply([asking(name, host)]);
    const over = (object: ApiObject | undefined): boolean => ['Succeeded', 'Failed'].includes(phaseOf(object) ?? '');
    return phaseOf(await cluster.waitFor(`pod/${name}`, over, { timeout: '60s' }));
  };
  const slow = { timeout: '60s' };
  await cluster.apply(WEB);
  await cluster.waitFor('pod/web', 'Ready', slow);
  for (const round of ['first', 'second']) {
    await cluster.apply(round === 'first' ? [INGRESS] : [...WEB, INGRESS]);
    await cluster.waitFor('pod/web', 'Ready', slow);
    await cluster.waitFor('ingress/web', 'jsonpath={.status.loadBalancer.ingress[0].ip}', slow);
    await cluster.waitFor('deployment/kubette-ingress', 'Available', { ...slow, namespace: 'kubette-ingress' });
    t.equal(await ask(`known-${round}`, 'ingress.example.com'), 'Succeeded', `the ${round} time`);
    t.equal(await ask(`unknown-${round}`, 'other.example.com'), 'Failed', `the ${round} time, nobody’s`);

    await cluster.apply(DEFINITIONS);
    await cluster.waitFor('gatewayclass/kubette', 'Accepted', slow);
    await cluster.apply(GATEWAY);
    await cluster.waitFor('gateway/gw', 'Programmed', slow);
    const route = await cluster.waitFor(
      'httproute/web',
      object => JSON.stringify(object?.['status'] ?? '').includes('ResolvedRefs'),
      slow,
    );
    t.match(JSON.stringify(route?.['status']), /"controllerName":"kubette\.io\/gateway-controller"/);
    t.equal(await ask(`gateway-${round}`, 'gateway.example.com'), 'Succeeded', `the ${round} time, by a Gateway`);
    if (round === 'first') await cluster.reset();
  }
});
