import t from 'tap';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { admitAll, isReview } from '../../../src/containers/images/admit-all.js';
import { agnhost } from '../../../src/containers/images/agnhost/index.js';
import type { NetStream } from '../../../src/containers/network/types.js';
import { busybox, containerContext } from '../../support/simulated-container.js';
import { answered } from '../../support/until.js';

type Json = Record<string, unknown>;

/** A webhook server of the test image, asked over TLS with the image's own certificate. */
async function startServer(subcommand: string, ...more: string[]) {
  const context = containerContext({ image: 'agnhost', files: agnhost.files ?? {} });
  const tls = ['--tls-cert-file=/localhost.crt', '--tls-private-key-file=/localhost.key', '--port=8444'];
  const running = await busybox(context, { image: agnhost, command: undefined, args: [subcommand, ...tls, ...more] });
  const open = (): Promise<NetStream> => answered(() => context.network.connect({ address: '127.0.0.1', port: 8444 }));
  const ask = async (path: string, review: Json): Promise<Json> => {
    const stream = await open();
    const { connect } = await import('node:tls');
    const ca = agnhost.files?.['/localhost.crt'];
    return new Promise((resolve, reject) => {
      const call = request(
        {
          createConnection: () =>
            connect({ socket: stream, servername: 'localhost', ...(ca === undefined ? {} : { ca }) }),
          method: 'POST',
          path,
          headers: { Host: 'localhost', 'Content-Type': 'application/json', Connection: 'close' },
        },
        response => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.on('end', () =>
            response.statusCode === 200 ? resolve(JSON.parse(body) as Json) : reject(new Error(body)),
          );
        },
      );
      call.on('error', reject);
      call.end(JSON.stringify(review));
    });
  };
  return { ask, stop: () => running.kill('KILL') };
}

const admission = (resource: string, operation: string, object: Json): Json => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: { uid: 'u-1', resource: { group: '', version: 'v1', resource }, operation, object, oldObject: object },
});
const map = (data: Json): Json => ({ metadata: { name: 'm' }, data });

t.test('the admission webhooks of agnhost review as upstream’s tests expect', async t => {
  const server = await startServer('webhook', '--sidecar-image=side');
  t.teardown(() => server.stop());
  const unwanted = { 'webhook-e2e-test': 'webhook-disallow' };
  const lasting = { 'webhook-e2e-test': 'webhook-nondeletable' };
  const pod = (name: string, labels: Json = {}) => ({
    metadata: { name, labels },
    spec: { containers: [{ name: 'c' }] },
  });
  const table: { path: string; review: Json; allowed: boolean; status?: Json; patch?: Json[] }[] = [
    {
      path: '/always-deny',
      review: admission('pods', 'CREATE', pod('p')),
      allowed: false,
      status: { message: 'this webhook denies all requests' },
    },
    { path: '/configmaps', review: admission('configmaps', 'CREATE', map({})), allowed: true },
    {
      path: '/configmaps',
      review: admission('configmaps', 'CREATE', map(unwanted)),
      allowed: false,
      status: { reason: 'the configmap contains unwanted key and value' },
    },
    { path: '/configmaps', review: admission('configmaps', 'DELETE', map(unwanted)), allowed: true },
    {
      path: '/configmaps',
      review: admission('configmaps', 'DELETE', map(lasting)),
      allowed: false,
      status: { reason: /cannot be deleted/ },
    },
    {
      path: '/mutating-configmaps',
      review: admission('configmaps', 'CREATE', map({ 'mutation-start': 'yes' })),
      allowed: true,
      patch: [{ op: 'add', path: '/data/mutation-stage-1', value: 'yes' }],
    },
    {
      path: '/mutating-configmaps',
      review: admission('configmaps', 'CREATE', map({ 'mutation-start': 'yes', 'mutation-stage-1': 'yes' })),
      allowed: true,
      patch: [{ op: 'add', path: '/data/mutation-stage-2', value: 'yes' }],
    },
    {
      path: '/pods',
      review: admission('pods', 'CREATE', pod('p', unwanted)),
      allowed: false,
      status: { message: 'the pod contains unwanted label;' },
    },
    { path: '/pods', review: admission('services', 'CREATE', {}), allowed: false },
    {
      path: '/mutating-pods-sidecar',
      review: admission('pods', 'CREATE', pod('p')),
      allowed: true,
      patch: [
        {
          op: 'add',
          path: '/spec/containers/-',
          value: { image: 'side', name: 'webhook-added-sidecar', resources: {} },
        },
      ],
    },
    {
      path: '/add-label',
      review: admission('pods', 'CREATE', pod('p')),
      allowed: true,
      patch: [{ op: 'add', path: '/metadata/labels', value: { 'added-label': 'yes' } }],
    },
    { path: '/add-label', review: admission('pods', 'CREATE', pod('p', { 'added-label': 'yes' })), allowed: true },
  ];
  for (const { path, review, allowed, status, patch } of table) {
    const answer = await server.ask(path, review);
    const { patch: encoded, ...response } = answer['response'] as { patch?: string };
    t.match(answer, { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' });
    t.match(response, { uid: 'u-1', allowed, ...(status === undefined ? {} : { status }) }, path);
    t.same(encoded === undefined ? undefined : JSON.parse(Buffer.from(encoded, 'base64').toString()), patch, path);
  }
  await t.rejects(
    server.ask('/pods', { kind: 'Pod' }),
    /Unsupported group version kind/,
    'what is no review is refused',
  );
});

t.test('the conversion webhook of agnhost splits and joins hostPort', async t => {
  const server = await startServer('crd-conversion-webhook');
  t.teardown(() => server.stop());
  const convert = async (object: Json, to: string): Promise<Json> => {
    const request = { uid: 'u-2', desiredAPIVersion: to, objects: [object] };
    const review = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request };
    return (await server.ask('/crdconvert', review))['response'] as Json;
  };
  const [v1, v2] = ['stable.example.com/v1', 'stable.example.com/v2'];
  t.match(await convert({ apiVersion: v1, hostPort: 'a:1' }, v2), {
    uid: 'u-2',
    convertedObjects: [{ apiVersion: v2, host: 'a', port: '1' }],
    result: { status: 'Success' },
  });
  t.match(await convert({ apiVersion: v2, host: 'a' }, v1), { convertedObjects: [{ apiVersion: v1, hostPort: 'a:' }] });
  t.match(await convert({ apiVersion: v1, hostPort: 'a' }, v2), {
    result: { status: 'Failure', message: 'invalid hostPort value `a`' },
  });
  t.match(await convert({ apiVersion: v1 }, v1), { result: { status: 'Failure' } });
});

t.test('an unknown image that is asked as a webhook has no objections', async t => {
  const server = createServer((request, response) =>
    isReview(request) ? admitAll(request, response) : response.destroy(),
  );
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const post = (body: string) =>
    fetch(`http://127.0.0.1:${port}/validate?timeout=10s`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    });
  const review = await post(JSON.stringify(admission('pods', 'CREATE', {})));
  t.match(await review.json(), { kind: 'AdmissionReview', response: { uid: 'u-1', allowed: true } });
  for (const body of ['', 'null', '{"kind":"Pod"}']) t.equal((await post(body)).status, 400, `no review: ${body}`);
});
