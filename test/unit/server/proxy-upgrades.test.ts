import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import t from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { issue, startProxiedNode, type ProxiedNode } from '../../support/proxied-node.js';

const API = '/api/v1/namespaces/default';
const LOG = '/api/v1/namespaces/other/pods/secret/log';
const client = (node: ProxiedNode, path: string, protocols: string[] = []): WebSocket =>
  new WebSocket(`wss://127.0.0.1:${node.api.port}${path}`, protocols, { rejectUnauthorized: false });
const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
  void response.end(`${request.method} ${request.url} for ${request.headers.host}`);

t.test('a Pod may speak WebSocket through a proxy, in the clear and over TLS', async t => {
  const node = await startProxiedNode(t);
  const seen: IncomingMessage[] = [];
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: offers => [...offers][0] ?? false });
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    seen.push(request);
    if (request.url?.startsWith('/no') === true)
      return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Why: me\r\n\r\nnope');
    webSockets.handleUpgrade(request, socket, head, webSocket =>
      webSocket.on('message', data => webSocket.send(`you said ${(data as Buffer).toString()}`)),
    );
  };
  const plain = createServer(onRequest).on('upgrade', upgrade);
  const secure = createSecureServer(issue('anybody', 'ca'), onRequest).on('upgrade', upgrade);
  for (const [server, targets] of [
    [plain, ['pods/web', 'pods/web:80', 'pods/http:web:80', 'services/web', 'services/http:web:80']],
    [secure, ['pods/https:web:80', 'services/https:web:80', 'services/https:web:']],
  ] as const)
    for (const target of targets) {
      node.serve(stream => void server.emit('connection', stream));
      const answer = await node.api.request('GET', `${API}/${target}/proxy/hello?x`, { headers: { host: 'front' } });
      t.equal(answer.text, 'GET /hello?x for front', target);
      const socket = client(node, `${API}/${target}/proxy/room?a=b`, ['mine', 'yours']);
      await once(socket, 'open');
      t.equal(socket.protocol, 'mine', target);
      t.equal(seen.at(-1)?.url, '/room?a=b', "the path is the Pod's");
      t.equal(seen.at(-1)?.headers['x-forwarded-for'], '127.0.0.1');
      const heard = once(socket, 'message');
      socket.send('hi');
      t.equal(String((await heard)[0]), 'you said hi', target);
      const closed = once(socket, 'close');
      socket.close(1001);
      t.equal((await closed)[0], 1001, `${target}: the end is the client's`);
      const refused = client(node, `${API}/${target}/proxy/no`);
      const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage];
      t.equal(response.statusCode, 403, `${target}: a refusal is the Pod's`);
      t.equal(response.headers['x-why'], 'me');
      response.resume();
    }
  node.serve(stream => stream.destroy());
  const failed = client(node, `${API}/pods/https:web:80/proxy/`);
  const [, response] = (await once(failed, 'unexpected-response')) as [unknown, IncomingMessage];
  t.equal(response.statusCode, 500, 'no TLS where it was asked for');
  response.resume();
});

t.test('which port and scheme a proxy path means', async t => {
  const node = await startProxiedNode(t);
  node.serve(stream => stream.once('data', () => void stream.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')));
  const service = node.objects.get('services/default/web');
  node.objects.set('services/default/named', {
    ...service,
    metadata: { name: 'named', namespace: 'default' },
    spec: {
      ports: [
        { name: 'http', port: 8080 },
        { name: 'other', port: 9090 },
      ],
    },
  });
  const slice = node.objects.get('endpointslices.discovery.k8s.io/default/web-1') as unknown as { endpoints: object[] };
  const slices = (name: string, labelled: string, extra: object): void =>
    void node.objects.set(`endpointslices.discovery.k8s.io/default/${name}`, {
      ...slice,
      metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': labelled } },
      ...extra,
    });
  slices('named-1', 'named', { ports: [{ name: 'http', port: 80 }] });
  for (const name of ['manual', 'elsewhere', 'unready'])
    node.objects.set(`services/default/${name}`, { ...service, metadata: { name, namespace: 'default' } });
  slices('manual-1', 'manual', { endpoints: [{ addresses: ['10.244.1.200'] }] });
  slices('elsewhere-1', 'elsewhere', {
    endpoints: [{ addresses: ['172.18.0.1'], targetRef: { kind: 'Pod', name: 'web' } }],
  });
  slices('unready-1', 'unready', {
    endpoints: [{ addresses: ['10.244.1.200'], targetRef: { kind: 'Pod', name: 'web' }, conditions: { ready: false } }],
  });
  const none = (name: string): string => `no endpoints available for service "${name}"`;
  const rows: { target: string; code: number; message?: string }[] = [
    { target: 'services/web', code: 200 },
    { target: 'services/web:', code: 200 },
    { target: 'services/named:http', code: 200 },
    { target: 'services/named:8080', code: 200 },
    { target: 'services/named', code: 503, message: none('named') },
    { target: 'services/named:other', code: 503, message: none('named:other') },
    { target: 'services/named:80', code: 503, message: 'no service port 80 found for service "named"' },
    { target: 'services/manual:80', code: 503, message: none('manual:80') },
    { target: 'services/elsewhere', code: 503, message: none('elsewhere') },
    { target: 'services/unready', code: 503, message: none('unready') },
    { target: 'services/nope:80', code: 404, message: 'services "nope" not found' },
    { target: 'services/:web', code: 400, message: 'invalid service request ":web"' },
    { target: 'services/a:b:c:d', code: 400, message: 'invalid service request "a:b:c:d"' },
    { target: 'services/ftp:web:80', code: 400, message: 'invalid service request "ftp:web:80"' },
    { target: 'pods/web:', code: 200 },
    { target: 'pods/nope', code: 404, message: 'pods "nope" not found' },
    {
      target: 'pods/web:81',
      code: 503,
      message: 'error trying to reach service: dial tcp 10.244.1.200:81: connect: connection refused',
    },
    {
      target: 'pods/web:70000',
      code: 503,
      message: 'error trying to reach service: dial tcp: address 70000: invalid port',
    },
    { target: 'pods/ftp:web:80', code: 400, message: 'invalid pod request "ftp:web:80"' },
  ];
  for (const { target, code, message } of rows) {
    const answer = await node.api.request('GET', `${API}/${target}/proxy/`);
    t.equal(answer.status, code, target);
    if (message !== undefined) t.match(answer.body, { kind: 'Status', status: 'Failure', message, code }, target);
  }
  for (const [name, code, message] of [
    ['nope', 404, 'nodes "nope" not found'],
    ['node-1:99:3', 400, 'invalid node request "node-1:99:3"'],
    ['node-1:9', 503, 'error trying to reach service: dial tcp 172.18.0.2:9: connect: connection refused'],
  ] as const)
    t.match((await node.api.request('GET', `/api/v1/nodes/${name}/proxy/`)).body, { kind: 'Status', message, code });
});

t.test('a log over WebSocket', async t => {
  const node = await startProxiedNode(t);
  const rows: { protocols: string[]; chosen: string; text: boolean }[] = [
    { protocols: [], chosen: '', text: false },
    { protocols: ['binary.k8s.io'], chosen: 'binary.k8s.io', text: false },
    { protocols: ['base64.binary.k8s.io'], chosen: 'base64.binary.k8s.io', text: true },
    { protocols: ['other', 'base64.binary.k8s.io', 'binary.k8s.io'], chosen: 'base64.binary.k8s.io', text: true },
  ];
  for (const { protocols, chosen, text } of rows) {
    const socket = client(node, LOG, protocols);
    const messages: string[] = [];
    socket.on('message', (data: Buffer, binary: boolean) => {
      t.equal(binary, !text);
      messages.push(text ? Buffer.from(data.toString(), 'base64').toString() : data.toString());
    });
    await once(socket, 'close');
    t.equal(socket.protocol, chosen);
    t.equal(messages[0], '', 'an empty message says that it has begun');
    t.equal(messages.join(''), 'TOPSECRET\n', protocols.join());
  }
  const refused = client(node, LOG, ['v4.channel.k8s.io']);
  const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage];
  t.equal(response.statusCode, 403);
  response.resume();
  const bad = client(node, `${LOG}?container=nope`, ['binary.k8s.io']);
  const [, status] = (await once(bad, 'unexpected-response')) as [unknown, IncomingMessage];
  t.equal(status.statusCode, 400, 'what is refused is refused before');
  status.resume();
  const following = client(node, `${LOG}?follow=true`, ['binary.k8s.io']);
  await once(following, 'message');
  following.close();
  await once(following, 'close');
});
