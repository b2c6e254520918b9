import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, request, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { keysInMemory } from '../../../src/cluster/keys/files.js';
import { createPki, type Pki } from '../../../src/cluster/keys/pki.js';
import { realClock } from '../../../src/machinery/clock.js';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import { createApiServer } from '../../../src/server/create-server.js';
import { createMemoryStore } from '../../../src/storage/memory/memory-store.js';
import { until } from '../../support/until.js';

const GROUP = 'agg.example';
const BASE = `/apis/${GROUP}/v1`;
const THINGS = `${BASE}/namespaces/default/things`;
const TIMES = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

interface World {
  readonly port: number;
  readonly pki: Pki;
  ask(method: string, path: string, options?: RequestOptions & { body?: string | object }): Promise<Answered>;
  /** Behind the Service "ext". */
  register(port: number, spec?: object, name?: string): Promise<void>;
  condition(name?: string): Promise<{ status: string; reason: string; message: string } | undefined>;
}

async function start(t: Test): Promise<World> {
  const pki = await createPki(keysInMemory(), { clock: realClock });
  const tokens = new Map([['admin', { name: 'admin', uid: 'u-0', groups: ['system:masters'] }]]);
  const server = await createApiServer({ store: createMemoryStore(), pki, tokens });
  const { port } = await server.listen();
  t.teardown(() => server.close());
  const ask: World['ask'] = (method, path, { body, headers = {}, ...options } = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          method,
          path,
          agent: false,
          ca: pki.ca.cert,
          headers: { authorization: 'Bearer admin', 'content-type': 'application/json', ...headers },
          ...options,
        },
        answer => {
          let text = '';
          answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
          answer.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(typeof body === 'object' ? JSON.stringify(body) : body);
    });
  await ask('POST', '/api/v1/namespaces/default/services', {
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'ext' },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
  });
  const condition: World['condition'] = async (name = `v1.${GROUP}`) => {
    const { text } = await ask('GET', `/apis/apiregistration.k8s.io/v1/apiservices/${name}`);
    const { status } = JSON.parse(text) as {
      status?: { conditions?: { status: string; reason: string; message: string }[] };
    };
    return status?.conditions?.[0];
  };
  return {
    port,
    pki,
    ask,
    condition,
    async register(backend, spec = {}, group = GROUP) {
      const { status, text } = await ask('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
        body: {
          apiVersion: 'apiregistration.k8s.io/v1',
          kind: 'APIService',
          metadata: { name: `v1.${group}` },
          spec: {
            group,
            version: 'v1',
            groupPriorityMinimum: 1000,
            versionPriority: 15,
            service: { namespace: 'default', name: 'ext', port: backend },
            ...spec,
          },
        },
      });
      if (status !== 201) throw new Error(text);
    },
  };
}

const CA = issueCertificate({ subject: { commonName: 'backend-ca' }, usage: 'ca', ...TIMES });
const caBundle = Buffer.from(CA.cert).toString('base64');

interface Backend {
  readonly port: number;
  /** What has arrived below the group, newest last. */
  readonly seen: IncomingMessage[];
}

const OPENAPI_V2 = {
  swagger: '2.0',
  info: { title: 'things', version: 'v1' },
  paths: {
    [`${BASE}/things`]: {
      get: {
        produces: ['application/json'],
        responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/Thing' } } },
      },
    },
  },
  definitions: { Thing: { type: 'object', description: 'a thing' } },
};

async function serve(
  t: Test,
  listener: RequestListener,
  upgrade?: (message: IncomingMessage, socket: Duplex) => void,
): Promise<Backend> {
  const serving = issueCertificate({
    issuer: CA,
    subject: { commonName: 'ext' },
    usage: 'server',
    subjectAltNames: ['ext.default.svc'],
    ...TIMES,
  });
  const seen: IncomingMessage[] = [];
  const server = createServer({ ...serving, requestCert: true, rejectUnauthorized: false }, (message, response) => {
    if (message.url === BASE) {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const resources = [{ name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get'] }];
      response.end(
        JSON.stringify({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${GROUP}/v1`, resources }),
      );
      return;
    }
    if (message.url === '/openapi/v2')
      return void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(OPENAPI_V2));
    if (message.url?.startsWith(`${BASE}/`) !== true) return void response.writeHead(404).end();
    seen.push(message);
    listener(message, response);
  });
  if (upgrade !== undefined) server.on('upgrade', upgrade);
  server.listen(0, 'localhost');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

const isAvailable = (world: World): Promise<void> =>
  until('available', async () => (await world.condition())?.reason === 'Passed');

t.test('requests reach the server of an APIService, in the name of their user', async t => {
  const world = await start(t);
  const json = (body: unknown) => JSON.stringify(body);
  const { port, seen } = await serve(t, (message, response) => {
    const name = message.url?.split('?')[0]?.split('/').at(-1);
    if (name === 'gzip') {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' });
      return void response.end(gzipSync('packed'));
    }
    if (name === 'elsewhere') return void response.writeHead(302, { Location: 'https://localhost:1/' }).end();
    if (name === 'close') return void message.socket.destroy();
    if (name === 'cut') {
      response.writeHead(200, { 'Content-Length': '100' });
      return void response.write('half', () => message.socket.destroy());
    }
    let body = '';
    message.on('data', (chunk: Buffer) => (body += chunk.toString()));
    message.on('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(json({ method: message.method, body }));
    });
  });
  await world.register(port, { caBundle });
  await isAvailable(world);
  await until('served', async () => (await world.ask('GET', `${THINGS}/t`)).status === 200);
  const last = (): IncomingMessage['headers'] => seen.at(-1)?.headers ?? {};

  await t.test('headers', async t => {
    await world.ask('GET', `${THINGS}/t?b=2&a=1%202`, {
      headers: {
        authorization: 'Bearer admin',
        'x-remote-user': 'forged',
        'x-remote-extra-a': 'forged',
        'x-forwarded-for': '9.9.9.9',
        'x-custom': '1',
        connection: 'x-custom-hop',
        'x-custom-hop': '1',
      },
    });
    const headers = last();
    t.equal(seen.at(-1)?.url, `${THINGS}/t?a=1+2&b=2`, 'the query is written anew');
    t.equal(headers['x-remote-user'], 'admin');
    t.equal(headers['x-remote-uid'], 'u-0');
    t.equal(headers['x-remote-group'], 'system:masters, system:authenticated');
    t.equal(headers['x-forwarded-for'], '9.9.9.9, 127.0.0.1');
    t.equal(headers['x-forwarded-host'], `localhost:${port}`);
    t.equal(headers.host, `localhost:${port}`);
    t.equal(headers['x-custom'], '1');
    for (const gone of ['x-remote-extra-a', 'authorization', 'x-custom-hop']) t.equal(headers[gone], undefined, gone);
  });
  await t.test('another user', async t => {
    const headers = {
      'impersonate-user': 'bob',
      'impersonate-group': 'system:masters',
      'impersonate-extra-a%2fb': 'c',
    };
    const { status, text } = await world.ask('GET', `${THINGS}/t`, {
      headers: { authorization: 'Bearer admin', ...headers },
    });
    t.equal(status, 200, text);
    t.equal(last()['x-remote-user'], 'bob');
    t.equal(last()['x-remote-group'], 'system:masters, system:authenticated');
    t.equal(last()['x-remote-extra-a%2fb'], 'c');
    t.equal(last()['impersonate-user'], undefined);
  });
  await t.test('bodies and answers', async t => {
    const sent = await world.ask('POST', THINGS, { body: 'x'.repeat(100_000) });
    t.equal((JSON.parse(sent.text) as { body: string }).body.length, 100_000);
    const packed = await world.ask('GET', `${THINGS}/gzip`);
    t.equal(packed.text, 'packed', 'nobody asked for compression: the client is given none');
    t.equal(packed.headers['content-encoding'], undefined);
    const asked = await world.ask('GET', `${THINGS}/gzip`, {
      headers: { authorization: 'Bearer admin', 'accept-encoding': 'gzip' },
    });
    t.equal(asked.headers['content-encoding'], 'gzip');
  });
  await t.test('answers that are not passed on', async t => {
    const redirected = await world.ask('GET', `${THINGS}/elsewhere`);
    t.match(redirected, {
      status: 502,
      text: /^the backend attempted to redirect this request, which is not permitted$/,
    });
    t.match(await world.ask('GET', `${THINGS}/close`), { status: 503, text: 'error trying to reach service: EOF\n' });
    await t.rejects(world.ask('GET', `${THINGS}/cut`), 'a body that ends early ends the connection');
    t.equal((await world.ask('GET', `${THINGS}/t`)).status, 200, 'and nothing else');
  });
  await t.test('discovery of both servers is one', async t => {
    const list = JSON.parse((await world.ask('GET', '/apis')).text) as { groups: { name: string }[] };
    t.equal(list.groups.at(-1)?.name, GROUP);
    t.equal(list.groups[0]?.name, 'apiregistration.k8s.io');
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    interface Aggregated {
      items: { metadata: { name: string }; versions: { freshness: string; resources?: { resource: string }[] }[] }[];
    }
    const aggregated = async () => {
      const { text } = await world.ask('GET', '/apis', { headers: { authorization: 'Bearer admin', accept } });
      return (JSON.parse(text) as Aggregated).items.find(({ metadata }) => metadata.name === GROUP)?.versions[0];
    };
    await until('current', async () => (await aggregated())?.freshness === 'Current');
    t.equal((await aggregated())?.resources?.[0]?.resource, 'things');
  });

  await t.test('what it tells of in OpenAPI v2 only is there in v3', async t => {
    const path = `apis/${GROUP}/v1`;
    const url = async () => {
      const { paths } = JSON.parse((await world.ask('GET', '/openapi/v3')).text) as {
        paths: Record<string, { serverRelativeURL: string }>;
      };
      return paths[path]?.serverRelativeURL;
    };
    await until('converted', async () => (await url()) !== undefined);
    const { status, headers, text } = await world.ask('GET', (await url()) ?? '');
    t.strictSame([status, headers['cache-control']], [200, 'public, immutable']);
    t.match(JSON.parse(text), {
      openapi: '3.0.0',
      info: OPENAPI_V2.info,
      paths: {
        [`${BASE}/things`]: {
          get: {
            responses: { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } } },
          },
        },
      },
      components: { schemas: OPENAPI_V2.definitions },
    });
    const other = await world.ask('GET', `/openapi/v3/${path}?hash=AB`);
    t.strictSame([other.status, other.headers.location], [301, await url()]);
    const metrics = (await world.ask('GET', '/metrics')).text;
    t.match(metrics, `aggregator_unavailable_apiservice{name="v1.${GROUP}"} 0\n`);
    t.match(metrics, 'aggregator_unavailable_apiservice{name="v1."} 0\n', 'those of this server, too');
    t.match(metrics, /aggregator_discovery_aggregation_count_total [1-9]/);
    await world.ask('DELETE', `/apis/apiregistration.k8s.io/v1/apiservices/v1.${GROUP}`);
    await until('gone', async () => (await url()) === undefined);
    t.equal((await world.ask('GET', `/openapi/v3/${path}`)).status, 404);
  });
});

t.test('streams that leave HTTP are carried both ways', async t => {
  const world = await start(t);
  const { port } = await serve(
    t,
    (_message, response) => void response.writeHead(200).end('{}'),
    (message, socket) => {
      if (message.url?.endsWith('/refused') === true)
        return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
      const key = `${message.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(key).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
          `X-User: ${String(message.headers['x-remote-user'])}\r\n\r\n`,
      );
      socket.on('data', (chunk: Buffer) => socket.write(chunk));
      socket.on('error', () => socket.destroy());
    },
  );
  await world.register(port, { caBundle });
  await isAvailable(world);
  await until('served', async () => (await world.ask('GET', `${THINGS}/t`)).status === 200);
  const open = (path: string) =>
    request({
      host: '127.0.0.1',
      port: world.port,
      path,
      agent: false,
      ca: world.pki.ca.cert,
      headers: {
        authorization: 'Bearer admin',
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'sec-websocket-version': '13',
      },
    });
  const upgraded = open(`${THINGS}/t/exec`);
  upgraded.end();
  const [answer, socket] = (await once(upgraded, 'upgrade')) as [IncomingMessage, Duplex];
  t.equal(answer.headers['x-user'], 'admin');
  socket.write('there and back');
  const [echoed] = (await once(socket, 'data')) as [Buffer];
  t.equal(echoed.toString(), 'there and back');
  socket.destroy();

  const refused = open(`${THINGS}/refused`);
  refused.end();
  const [no] = (await once(refused, 'response')) as [IncomingMessage];
  t.equal(no.statusCode, 403);
  no.resume();
});

t.test('a server that shows another certificate than it should gets no request', async t => {
  const world = await start(t);
  const { port, seen } = await serve(t, (_message, response) => void response.end('{}'));
  const other = issueCertificate({ subject: { commonName: 'other' }, usage: 'ca', ...TIMES });
  await world.register(port, { caBundle: Buffer.from(other.cert).toString('base64') });
  await isAvailable(world);
  t.match(await world.ask('GET', `${THINGS}/t`), {
    status: 503,
    text: 'error trying to reach service: tls: failed to verify certificate: x509: certificate signed by unknown authority\n',
  });
  t.equal(seen.length, 0);
});

t.test('an APIService that leads back to this server goes nowhere, and round in no circle', async t => {
  const world = await start(t);
  await world.register(world.port, { insecureSkipTLSVerify: true });
  await until('judged', async () => (await world.condition())?.reason === 'FailedDiscoveryCheck');
  t.match(await world.condition(), { message: /bad status from .*: 503$/ });
  t.match(await world.ask('GET', `${THINGS}/t`), { status: 503, text: 'service unavailable\n' });
  // As it was while its Service led elsewhere; soon it is judged anew.
  const { frontProxyClient } = world.pki;
  await until('a request of this server’s own is known', async () => {
    await world.ask('PATCH', `/apis/apiregistration.k8s.io/v1/apiservices/v1.${GROUP}/status`, {
      headers: { authorization: 'Bearer admin', 'content-type': 'application/merge-patch+json' },
      body: { status: { conditions: [{ type: 'Available', status: 'True', reason: 'Passed', message: '' }] } },
    });
    const asSelf = await world.ask('GET', `${THINGS}/t`, {
      headers: { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
      ...frontProxyClient,
    });
    return asSelf.status === 508;
  });
  t.pass('it is sent on no further');
});
