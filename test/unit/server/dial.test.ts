import { once } from 'node:events';
import { createServer as createPlainServer, type AddressInfo, type Socket } from 'node:net';
import { createServer, type Server } from 'node:https';
import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { FakeClock, realClock, type Clock } from '../../../src/machinery/clock.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { issueCertificate, type KeyPair } from '../../../src/machinery/x509/certificate.js';
import { createDialer } from '../../../src/server/dial/create-dialer.js';
import type { KubeletConnection } from '../../../src/server/dial/kubelet-connection.js';
import type { Dialer, DialTarget, FetchRequest, TlsSettings } from '../../../src/server/dial/types.js';
import { until } from '../../support/until.js';

const HOUR = 3_600_000;
const NAME = 'hook.ns.svc';

const issue = (commonName: string, usage: 'ca' | 'server' | 'client', issuer?: KeyPair, names?: string[]): KeyPair =>
  issueCertificate({
    subject: { commonName },
    usage,
    notBefore: Date.now() - HOUR,
    notAfter: Date.now() + HOUR,
    ...(issuer === undefined ? {} : { issuer }),
    ...(names === undefined ? {} : { subjectAltNames: names }),
  });

const CA = issue('ca', 'ca');
const OTHER_CA = issue('other', 'ca');
const SERVING = issue('hook', 'server', CA, [NAME, '127.0.0.1']);
const NAMELESS = issue(NAME, 'server', CA);

async function serve(t: Test, pair: KeyPair, answer: RequestListener, options: object = {}): Promise<number> {
  const server: Server = createServer({ ...pair, ...options }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface World {
  readonly objects?: Readonly<Record<string, KubeObject>>;
  readonly clock?: Clock;
  readonly kubelet?: Partial<KubeletConnection>;
}

function dialerOf(t: Test, { objects = {}, clock = realClock, kubelet = {} }: World = {}): Dialer {
  const dialer = createDialer({
    objects: {
      get: (resource, { namespace, name }) => objects[`${resource}/${namespace}/${name}`],
      list: (resource, namespace = '') =>
        Object.entries(objects)
          .filter(([key]) => key.startsWith(namespace === '' ? `${resource}/` : `${resource}/${namespace}/`))
          .map(([, object]) => object),
    },
    kubelet: kubelet as KubeletConnection,
    clock,
    random: () => 0,
    machine: ['172.18.0.1'],
    own: () => ({ address: '127.0.0.1', port: 1 }),
  });
  t.teardown(() => dialer.close());
  return dialer;
}

const host = (port: number): DialTarget => ({ kind: 'host', host: '127.0.0.1', port });
const SERVICE: DialTarget = { kind: 'service', namespace: 'ns', name: 'hook', port: 443 };
const TRUST: TlsSettings = { ca: CA.cert, serverName: '127.0.0.1' };

const ask = (more: Partial<FetchRequest> = {}): FetchRequest => ({
  method: 'GET',
  path: '/x?y=1',
  headers: { Host: 'h' },
  tls: TRUST,
  signal: new AbortController().signal,
  maxBytes: 1000,
  ...more,
});

t.test('an answer, or why there is none, in upstream words', async t => {
  const rows: { name: string; pair?: KeyPair; tls?: TlsSettings; answer?: RequestListener; expect: RegExp }[] = [
    { name: 'answered', expect: /^200 GET \/x\?y=1 h$/ },
    {
      name: 'another authority',
      tls: { ...TRUST, ca: OTHER_CA.cert },
      expect: /^DialError: tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    },
    {
      name: 'no authority',
      tls: { serverName: '127.0.0.1' },
      expect: /^DialError: tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    },
    {
      name: 'the certificate itself is trusted, and not who signed it',
      tls: { ...TRUST, ca: SERVING.cert },
      expect: /^200 GET/,
    },
    {
      name: 'another name',
      tls: { ...TRUST, serverName: 'other.ns.svc' },
      expect: /^DialError: .* x509: certificate is valid for hook.ns.svc, not other.ns.svc$/,
    },
    {
      name: 'another address',
      tls: { ...TRUST, serverName: '127.0.0.2' },
      expect: /^DialError: .* x509: certificate is valid for 127.0.0.1, not 127.0.0.2$/,
    },
    {
      name: 'a common name is no name',
      pair: NAMELESS,
      tls: { ...TRUST, serverName: NAME },
      expect: /^DialError: .* x509: certificate relies on legacy Common Name field, use SANs instead$/,
    },
    { name: 'nobody is doubted', pair: NAMELESS, tls: { insecure: true, serverName: 'x' }, expect: /^200 GET/ },
    { name: 'a CA that is none', tls: { ...TRUST, ca: '-----BEGIN x' }, expect: /^DialError: .*unknown authority$/ },
    {
      name: 'closed at once',
      answer: request => void request.socket.destroy(),
      expect: /^DialError: EOF$/,
    },
    {
      name: 'closed in the middle',
      answer: (request, response) => {
        response.writeHead(200, { 'Content-Length': 10 });
        response.write('1', () => request.socket.destroy());
      },
      expect: /^BodyError: unexpected EOF$/,
    },
    { name: 'long', answer: (_, response) => void response.end('x'.repeat(1001)), expect: /^BodyError: .*1000 bytes$/ },
    {
      name: 'long, without a length',
      answer: (_, response) => {
        for (let i = 0; i < 100; i++) response.write('x'.repeat(100));
        response.end();
      },
      expect: /^BodyError: .*1000 bytes$/,
    },
    {
      name: 'gzip',
      answer: (_, response) => void response.setHeader('Content-Encoding', 'gzip').end(gzipSync('hello')),
      expect: /^200 hello$/,
    },
    {
      name: 'gzip of what is long',
      answer: (_, response) => void response.setHeader('Content-Encoding', 'gzip').end(gzipSync('x'.repeat(100_000))),
      expect: /^BodyError: .*1000 bytes$/,
    },
    {
      name: 'no HTTP',
      answer: request => void request.socket.end('hello\r\n\r\n'),
      expect: /^DialError: net\/http: HTTP\/1.x transport connection broken/,
    },
    {
      name: 'a head without end',
      answer: request => void request.socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}\r\n`),
      expect: /^DialError: net\/http: HTTP\/1.x transport connection broken: server response headers exceeded/,
    },
    {
      name: 'a protocol that nobody asked for',
      answer: request =>
        void request.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
      expect: /^DialError: malformed HTTP response/,
    },
  ];
  for (const { name, pair = SERVING, tls = TRUST, answer, expect } of rows) {
    const echo: RequestListener = ({ method, url, headers }, response) =>
      void response.end(`${method} ${url} ${headers.host}`);
    const port = await serve(t, pair, answer ?? echo);
    const result = await dialerOf(t)
      .fetch(host(port), ask({ tls }))
      .then(
        ({ status, body }) => `${status} ${body.toString()}`,
        (error: Error) => `${error.name}: ${error.message}`,
      );
    t.match(result, expect, name);
  }
});

t.test('nobody listens, or it is no TLS', async t => {
  const plain = createPlainServer(socket => void socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
    0,
    '127.0.0.1',
  );
  await once(plain, 'listening');
  const { port } = plain.address() as AddressInfo;
  await t.rejects(dialerOf(t).fetch(host(port), ask()), {
    name: 'DialError',
    message: 'http: server gave HTTP response to HTTPS client',
  });
  plain.close();
  await once(plain, 'close');
  await t.rejects(dialerOf(t).fetch(host(port), ask()), {
    name: 'DialError',
    message: `dial tcp 127.0.0.1:${port}: connect: connection refused`,
  });
});

t.test('who says nothing is waited for so long and no longer', async t => {
  const sockets: Socket[] = [];
  const silent = createPlainServer(socket => void sockets.push(socket.resume().on('error', () => undefined))).listen(0);
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const clock = new FakeClock();
  const asked = dialerOf(t, { clock }).fetch(host(port), ask());
  asked.catch(() => undefined);
  await until('it is connected', () => sockets.length === 1 && clock.waiting === 1);
  clock.step(10_000);
  await t.rejects(asked, { name: 'DialError', message: 'net/http: TLS handshake timeout' });
  await until('the connection is gone', () => sockets[0]?.destroyed === true);

  const gone = new AbortController();
  const aborted = dialerOf(t).fetch(host(port), ask({ signal: gone.signal }));
  aborted.catch(() => undefined);
  await until('it is connected', () => sockets.length === 2);
  gone.abort(new Error('context deadline exceeded'));
  await t.rejects(aborted, { message: 'context deadline exceeded' });
  await until('the connection is gone', () => sockets[1]?.destroyed === true);

  // The reason of a signal that is given none has a number as its code.
  const reasonless = new AbortController();
  const left = dialerOf(t).fetch(host(port), ask({ signal: reasonless.signal }));
  left.catch(() => undefined);
  await until('it is connected', () => sockets.length === 3);
  reasonless.abort();
  await t.rejects(left, { name: 'AbortError' });
  await until('the connection is gone', () => sockets[2]?.destroyed === true);
});

t.test('a connection is kept for the same trust only', async t => {
  const connections = new Set<unknown>();
  const seen: string[] = [];
  const port = await serve(
    t,
    SERVING,
    (request, response) => {
      connections.add(request.socket);
      const peer = (
        request.socket as unknown as { getPeerCertificate(): { subject?: { CN?: string } } }
      ).getPeerCertificate();
      seen.push(peer.subject?.CN ?? '');
      response.end('ok');
    },
    { requestCert: true, rejectUnauthorized: false },
  );
  const dialer = dialerOf(t);
  const rows: { name: string; tls: TlsSettings; connections: number; peer: string }[] = [
    { name: 'the first', tls: TRUST, connections: 1, peer: '' },
    { name: 'the same again', tls: { ...TRUST }, connections: 1, peer: '' },
    { name: 'nobody is doubted', tls: { ...TRUST, insecure: true }, connections: 2, peer: '' },
    { name: 'another name', tls: { ...TRUST, serverName: NAME }, connections: 3, peer: '' },
    { name: 'as somebody', tls: { ...TRUST, identity: issue('me', 'client', CA) }, connections: 4, peer: 'me' },
    { name: 'the first again', tls: TRUST, connections: 4, peer: '' },
  ];
  for (const row of rows) {
    await dialer.fetch(host(port), ask({ tls: row.tls }));
    t.equal(connections.size, row.connections, row.name);
    t.equal(seen.at(-1), row.peer, row.name);
  }
  await t.rejects(dialer.fetch(host(port), ask({ tls: { ...TRUST, ca: OTHER_CA.cert } })), /unknown authority/);
});

t.test('a Service leads to whoever serves it', async t => {
  const port = await serve(t, SERVING, (_, response) => void response.end('served'));
  const spec = (more: object): KubeObject => ({
    metadata: { name: 'hook', namespace: 'ns' },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.9', ports: [{ name: 'https', port: 443 }], ...more },
  });
  const slice = (endpoints: object[]): KubeObject => ({
    metadata: { name: 'hook-1', namespace: 'ns', labels: { 'kubernetes.io/service-name': 'hook' } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port }],
    endpoints,
  });
  const node: KubeObject = { metadata: { name: 'node-1' }, spec: { podCIDRs: ['10.244.0.0/24'] } };
  const dialled: string[] = [];
  const kubelet: Partial<KubeletConnection> = {
    dial(name, { address, port }) {
      dialled.push(`${name} ${address}:${port}`);
      return Promise.reject(new Error(`dial tcp ${address}:${port}: connect: no route to host`));
    },
  };
  const rows: { name: string; objects: Record<string, KubeObject>; target?: DialTarget; expect: string }[] = [
    { name: 'no Service', objects: {}, expect: 'service "hook" not found' },
    {
      name: 'no such port',
      objects: { 'services/ns/hook': spec({}) },
      target: { ...SERVICE, port: 8443 },
      expect: 'no service port 8443 found for service "hook"',
    },
    {
      name: 'headless',
      objects: { 'services/ns/hook': spec({ clusterIP: 'None' }) },
      expect: 'cannot route to service with ClusterIP "None"',
    },
    {
      name: 'nobody',
      objects: { 'services/ns/hook': spec({}) },
      expect: 'dial tcp 10.96.0.9:443: connect: connection refused',
    },
    {
      name: 'nobody is ready',
      objects: {
        'services/ns/hook': spec({}),
        'endpointslices.discovery.k8s.io/ns/hook-1': slice([
          { addresses: ['172.18.0.1'], conditions: { ready: false } },
        ]),
      },
      expect: 'dial tcp 10.96.0.9:443: connect: connection refused',
    },
    {
      name: 'this machine, as Pods know it',
      objects: {
        'services/ns/hook': spec({}),
        'endpointslices.discovery.k8s.io/ns/hook-1': slice([{ addresses: ['172.18.0.1'] }]),
      },
      expect: '200 served',
    },
    {
      name: 'endpoints that were written by hand and nobody has mirrored',
      objects: {
        'services/ns/hook': spec({}),
        'endpoints/ns/hook': {
          metadata: { name: 'hook', namespace: 'ns' },
          subsets: [{ addresses: [{ ip: '172.18.0.1' }], ports: [{ name: 'https', port }] }],
        },
      },
      expect: '200 served',
    },
    {
      name: 'an external name',
      objects: { 'services/ns/hook': spec({ type: 'ExternalName', externalName: '127.0.0.1' }) },
      target: { ...SERVICE, port },
      expect: '200 served',
    },
    {
      name: 'a Pod, from its node',
      objects: {
        'nodes//node-1': node,
        'services/ns/hook': spec({}),
        'endpointslices.discovery.k8s.io/ns/hook-1': slice([{ addresses: ['10.244.0.7'] }]),
      },
      expect: 'dial tcp 10.96.0.9:443: connect: no route to host',
    },
  ];
  for (const { name, objects, target = SERVICE, expect } of rows) {
    const result = await dialerOf(t, { objects, kubelet })
      .fetch(target, ask({ tls: { ca: CA.cert, serverName: NAME } }))
      .then(
        ({ status, body }) => `${status} ${body.toString()}`,
        (error: Error) => error.message,
      );
    t.equal(result, expect, name);
  }
  t.same(dialled, [`node-1 10.244.0.7:${port}`]);
});
