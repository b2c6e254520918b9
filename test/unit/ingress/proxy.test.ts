import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, createSecureContext } from 'node:tls';
import t from 'tap';
import { NetworkError } from '../../../src/containers/network/errors.js';
import { openDoor } from '../../../src/ingress/proxy/doors.js';
import { createProxy, type Door } from '../../../src/ingress/proxy/proxy.js';
import { compileRoutes } from '../../../src/ingress/routing/route-table.js';
import { DEFAULT_LIMITS, type Backend, type Route } from '../../../src/ingress/routing/route.js';
import { FakeClock, realClock, type Clock } from '../../../src/machinery/clock.js';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import { streamPair } from '../../../src/nodeagent/network/stream-pair.js';
import { until } from '../../support/until.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const HTTP: Door = { port: 80, scheme: 'http' };
const to = (service: string): Backend => ({ to: { namespace: 'shop', service, port: 80 }, weight: 1 });
const route = (service: string, more: Partial<Route> = {}): Route => ({
  ...DEFAULT_LIMITS,
  owner: `Ingress shop/${service}`,
  backends: [to(service)],
  withoutBackend: 503,
  ...more,
});

interface World {
  readonly routes?: Readonly<Record<string, Route>>;
  /** By the port that the endpoint listens on. */
  readonly servers?: Readonly<Record<number, Handler | ((stream: Duplex) => void) | 'refused' | 'silent'>>;
  readonly endpoints?: Readonly<Record<string, readonly number[]>>;
  readonly clock?: Clock;
  readonly door?: Door;
}

const pair = (): ReturnType<typeof streamPair> =>
  streamPair({ address: '10.244.0.9', port: 40000 }, { address: '10.244.1.2', port: 80 });

/** A proxy between streams: what is written into a connection, and what comes out of it. */
function start({ routes = {}, servers = {}, endpoints = {}, clock = realClock, door = HTTP }: World) {
  const table = compileRoutes(
    Object.entries(routes).map(([path, each], index) => ({
      ...{ host: 'a.example.com', star: 'one' as const, headers: [], query: [], route: each },
      path: { kind: 'prefix' as const, path },
      origin: { created: '', key: '', index },
    })),
  );
  const lines: string[] = [];
  const open = openDoor({
    door,
    clock,
    proxy: createProxy({
      ...{ clock, routes: () => table, random: () => 0.5, log: line => lines.push(line) },
      endpointsOf: ({ service }) => (endpoints[service] ?? []).map(port => ({ address: '10.244.1.2', port })),
      dial(at, signal) {
        const server = servers[at.port];
        if (server === 'refused' || server === undefined) return Promise.reject(new NetworkError('ECONNREFUSED'));
        if (server === 'silent')
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        const { client, server: end } = pair();
        if (server.length === 1) (server as (stream: Duplex) => void)(end);
        else createServer(server as Handler).emit('connection', end);
        return Promise.resolve(client);
      },
    }),
    ...(door.scheme === 'http' ? {} : { contextOf }),
  });
  const connect = (): Duplex => {
    const { client, server } = pair();
    open.take(server);
    return client;
  };
  return { connect, lines, close: () => open.close() };
}

const certificateOf = (name: string) =>
  issueCertificate({
    ...{ subject: { commonName: name }, usage: 'server', subjectAltNames: [name] },
    ...{ notBefore: Date.now() - 1000, notAfter: Date.now() + 3_600_000 },
  });
const contextOf = (name: string | undefined) => createSecureContext(certificateOf(name ?? 'default'));

async function text(stream: AsyncIterable<unknown>): Promise<string> {
  let all = '';
  try {
    for await (const chunk of stream) all += String(chunk);
  } catch (error) {
    all += `[${(error as { code?: string }).code ?? ''}]`;
  }
  return all;
}

/** Sends bytes and reads until the other side has ended. */
async function say(connection: Duplex, bytes: string): Promise<string> {
  connection.write(bytes);
  return text(connection);
}
const statusOf = (answer: string): string => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? answer;

const echo: Handler = (request, response) => {
  void text(request).then(body => {
    response.setHeader('X-Back', 'end');
    response.setHeader('Keep-Alive', 'timeout=99');
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.rawHeaders, body }));
  });
};
interface Echoed {
  readonly url: string;
  readonly body: string;
  readonly headers: readonly string[];
}
const echoed = (answer: string): Echoed =>
  JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as Echoed;
/** What a backend was told of a header. */
const told = (answer: string, name: string): string[] => {
  const { headers } = echoed(answer);
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);
};

const get = (path = '/', more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n${more}\r\n`;

t.test('what is answered', async t => {
  const world: World = {
    routes: {
      '/': route('web'),
      '/nobody': route('nobody'),
      '/down': route('down'),
      '/half': route('half'),
      '/broken': route('broken'),
      '/secure': route('web', { onlySecure: true }),
      '/gone': route('web', { redirect: { status: 302, scheme: 'https', path: { kind: 'prefix', path: '/new/' } } }),
      '/none': route('web', { backends: [{ to: undefined, weight: 1 }], withoutBackend: 500 }),
      '/zero': route('web', { backends: [{ ...to('web'), weight: 0 }], withoutBackend: 500 }),
      '/moved': route('web', { rewrite: { host: 'inner', path: { kind: 'prefix', path: '/at' } } }),
    },
    servers: { 1: echo, 2: 'refused', 3: (stream: Duplex) => void stream.end('no HTTP at all\r\n\r\n') },
    endpoints: { web: [1], down: [2], half: [2, 1], broken: [3] },
  };
  const rows: { name: string; send: string; status: string; expect?: RegExp }[] = [
    { name: 'a backend’s answer', send: get('/x?y=1'), status: '200', expect: /"url":"\/x\?y=1"/ },
    { name: 'no rule', send: get().replace('a.example.com', 'b.example.com'), status: '404' },
    { name: 'no endpoint', send: get('/nobody'), status: '503' },
    { name: 'nobody takes it', send: get('/down'), status: '502' },
    { name: 'the second one takes it', send: get('/half'), status: '200' },
    { name: 'what is no answer', send: get('/broken'), status: '502' },
    {
      name: 'to HTTPS',
      send: get('/secure/x?y'),
      status: '308',
      expect: /Location: https:\/\/a\.example\.com\/secure\/x\?y\r/,
    },
    {
      name: 'elsewhere',
      send: get('/gone/a%20b?y'),
      status: '302',
      expect: /Location: https:\/\/a\.example\.com\/new\/a%20b\?y\r/,
    },
    { name: 'a backend that is none', send: get('/none'), status: '500' },
    { name: 'backends without weight', send: get('/zero'), status: '500' },
    {
      name: 'another path and host',
      send: get('/moved/x/'),
      status: '200',
      expect: /"url":"\/at\/x\/".*"Host","inner"/,
    },
    { name: 'a path that is none', send: get('/%'), status: '400' },
    { name: 'a target that is a URL', send: get('http://b.example.com/'), status: '400' },
    { name: 'no host', send: 'GET / HTTP/1.1\r\n\r\n', status: '400' },
    { name: 'two hosts', send: get('/', 'Host: b.example.com\r\n'), status: '400' },
    { name: 'two lengths', send: get('/', 'Content-Length: 1\r\nContent-Length: 2\r\n'), status: '400' },
    {
      name: 'a length and chunks',
      send: get('/', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'),
      status: '400',
    },
    { name: 'chunks in other words', send: get('/', 'Transfer-Encoding: xchunked\r\n'), status: '400' },
    { name: 'a line folded', send: get('/', 'X-A: b\r\n c\r\n'), status: '400' },
    { name: 'a space before the colon', send: get('/', 'Content-Length : 4\r\n'), status: '400' },
    { name: 'no HTTP', send: 'hello\r\n\r\n', status: '400' },
    { name: 'heads of any size', send: get('/', `X-A: ${'a'.repeat(20_000)}\r\n`), status: '400' },
    { name: 'TRACE', send: get().replace('GET', 'TRACE'), status: '405' },
  ];
  for (const { name, send, status, expect } of rows) {
    const { connect, close } = start(world);
    const answer = await say(connect(), send);
    t.equal(statusOf(answer), status, name);
    if (expect !== undefined) t.match(answer, expect, name);
    close();
  }
});

t.test('headers are made anew', async t => {
  const changed = route('web', {
    requestHeaders: {
      set: [{ name: 'x-set', value: 'mine' }],
      add: [{ name: 'x-add', value: '2' }],
      remove: ['x-gone'],
    },
    responseHeaders: { set: [{ name: 'x-back', value: 'changed' }], add: [], remove: [] },
  });
  const { connect, close, lines } = start({
    routes: { '/': changed },
    servers: { 1: echo },
    endpoints: { web: [1] },
  });
  const more = [
    'X-Forwarded-For: 6.6.6.6',
    'x_forwarded_for: 6.6.6.6',
    'X-Real-IP: 6.6.6.6',
    'Forwarded: for=6.6.6.6',
    'Connection: close, X-Private',
    'X-Private: secret',
    'Proxy-Authorization: secret',
    'TE: trailers',
    'X-Set: theirs',
    'X-Add: 1',
    'X-Gone: here',
    'Cookie: a=b',
    '',
  ].join('\r\n');
  const answer = await say(connect(), get('/', more).replace('Connection: close\r\n', ''));
  const rows: [name: string, expect: string[]][] = [
    ['host', ['a.example.com']],
    ['x-forwarded-for', ['10.244.0.9']],
    ['x-real-ip', ['10.244.0.9']],
    ['x-forwarded-proto', ['http']],
    ['x-forwarded-port', ['80']],
    ['x-forwarded-host', ['a.example.com']],
    ['x_forwarded_for', []],
    ['forwarded', []],
    ['x-private', []],
    ['proxy-authorization', []],
    ['te', []],
    ['connection', ['close']],
    ['x-set', ['mine']],
    ['x-add', ['1', '2']],
    ['x-gone', []],
    ['cookie', ['a=b']],
    ['x-request-id', ['80000000'.repeat(4)]],
    ['transfer-encoding', []],
  ];
  for (const [name, expect] of rows) t.same(told(answer, name), expect, name);
  t.match(answer, /x-back: changed\r/);
  t.notMatch(answer, /timeout=99/);
  t.match(
    lines[0],
    /^10\.244\.0\.9 - - \[.*\] "GET \/ HTTP\/1\.1" 200 "a\.example\.com" \[Ingress shop\/web\] 10\.244\.1\.2:1 /,
  );
  close();
});

t.test('bodies', async t => {
  const world: World = {
    routes: { '/': route('web', { maxBody: 10 }) },
    servers: { 1: echo },
    endpoints: { web: [1] },
  };
  const post = (headers: string, body: string): string =>
    `POST / HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\n${headers}\r\n${body}`;
  const rows: { name: string; send: string; status: string; body?: string }[] = [
    { name: 'of a length', send: post('Content-Length: 5\r\n', 'hello'), status: '200', body: 'hello' },
    {
      name: 'in chunks',
      send: post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
      status: '200',
      body: 'hello',
    },
    { name: 'none', send: post('', ''), status: '200', body: '' },
    { name: 'too long, as is said', send: post('Content-Length: 11\r\n', 'hello world'), status: '413' },
    {
      name: 'too long, as is seen',
      send: post('Transfer-Encoding: chunked\r\n', 'b\r\nhello world\r\n0\r\n\r\n'),
      status: '413',
    },
    {
      name: 'that waits to be told',
      send: post('Expect: 100-continue\r\nContent-Length: 5\r\n', 'hello'),
      status: '100',
      body: 'hello',
    },
    { name: 'that need not wait', send: post('Expect: 100-continue\r\nContent-Length: 11\r\n', ''), status: '413' },
  ];
  for (const { name, send, status, body } of rows) {
    const { connect, close } = start(world);
    const connection = connect();
    connection.write(send);
    let answer = '';
    connection.on('data', chunk => (answer += String(chunk)));
    await until(name, () => answer.includes(body === undefined ? '</html>' : '}'));
    t.equal(statusOf(answer), status, name);
    if (body !== undefined) t.equal(echoed(answer).body, body, name);
    close();
  }
});

t.test('a body of any size goes through as fast as it is read', async t => {
  const CHUNK = Buffer.alloc(64 * 1024, 'x');
  const SIZE = 16 * 1024 * 1024;
  let written = 0;
  const flood: Handler = (_request, response) => {
    const more = (): void => {
      if (written >= SIZE) return void response.end();
      written += CHUNK.length;
      if (response.write(CHUNK)) setImmediate(more);
      else response.once('drain', more);
    };
    more();
  };
  const { connect, close } = start({
    routes: { '/': route('web') },
    servers: { 1: flood },
    endpoints: { web: [1] },
  });
  const connection = connect();
  connection.write(get());
  await until('it begins', () => written > 0);
  const before = written;
  await new Promise(resolve => setImmediate(resolve));
  t.ok(written - before < SIZE / 4, 'who is not read waits');
  let read = 0;
  connection.on('data', (chunk: Buffer) => (read += chunk.length));
  await until('and goes on when he is', () => read > SIZE);
  close();
});

t.test('time', async t => {
  const rows: { name: string; server: 'silent' | Handler; pass: number }[] = [
    { name: 'no connection', server: 'silent', pass: 5_000 },
    { name: 'no answer', server: (request, response) => void [request, response], pass: 60_000 },
  ];
  for (const { name, server, pass } of rows) {
    const clock = new FakeClock();
    let asked = false;
    const handler: World['servers'] = {
      1: server === 'silent' ? server : (request, response) => ((asked = true), server(request, response)),
    };
    const { connect, close } = start({
      routes: { '/': route('web') },
      servers: handler,
      endpoints: { web: [1] },
      clock,
    });
    const answer = say(connect(), get());
    if (server !== 'silent') await until(name, () => asked);
    else await new Promise(resolve => setImmediate(resolve));
    clock.step(pass);
    t.equal(statusOf(await answer), '504', name);
    close();
  }
  const clock = new FakeClock();
  const { connect, close } = start({ clock });
  const idle = connect();
  const ended = text(idle);
  await new Promise(resolve => setImmediate(resolve));
  clock.step(75_000);
  t.equal(await ended, '', 'who says nothing is not waited for');
  close();
});

t.test('another protocol', async t => {
  const chat: Handler = () => undefined;
  const backend = createServer(chat).on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n',
    );
    socket.write(`hello ${String(request.headers['sec-websocket-key'])}${String(head)}`);
    socket.on('data', chunk => socket.write(`<${String(chunk)}>`));
    socket.on('end', () => socket.end());
  });
  const { connect, close } = start({
    routes: { '/': route('web'), '/plain': route('plain') },
    servers: { 1: (stream: Duplex) => void backend.emit('connection', stream), 2: echo },
    endpoints: { web: [1], plain: [2] },
  });
  const upgrade = (path: string, protocol: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: a.example.com\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Key: k\r\n\r\n`;
  const connection = connect();
  let heard = '';
  connection.on('data', chunk => (heard += String(chunk)));
  connection.write(upgrade('/', 'websocket'));
  await until('it is let through', () => heard.includes('hello k'));
  t.match(heard, /^HTTP\/1\.1 101 .*\r\n[^]*Sec-WebSocket-Accept: x\r\n/);
  connection.write('ping');
  await until('and what is said, too', () => heard.endsWith('<ping>'));
  connection.end();
  const refused = await say(connect(), upgrade('/plain', 'websocket'));
  t.equal(statusOf(refused), '200', 'a backend that does not want it answers');
  const http2 = await say(connect(), upgrade('/plain', 'h2c'));
  t.equal(statusOf(http2), '200');
  t.same(told(http2, 'upgrade'), [], 'nobody leaves for plain HTTP/2');
  close();
});

t.test('TLS by the name that is asked for', async t => {
  const door: Door = { port: 443, scheme: 'https' };
  const world: World = {
    routes: { '/': route('web', { onlySecure: true }) },
    servers: { 1: echo },
    endpoints: { web: [1] },
    door,
  };
  const { connect, close } = start(world);
  const socket = tlsConnect({ socket: connect(), servername: 'a.example.com', rejectUnauthorized: false });
  let shown = '';
  socket.once('secureConnect', () => (shown = String(socket.getPeerCertificate().subject.CN)));
  const answer = await say(socket, get());
  t.equal(shown, 'a.example.com');
  t.same(told(answer, 'x-forwarded-proto'), ['https']);
  t.same(told(answer, 'x-forwarded-for'), ['10.244.0.9']);
  close();
});
