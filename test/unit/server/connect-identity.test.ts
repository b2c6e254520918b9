import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import t from 'tap';
import type { KeyPair } from '../../../src/machinery/x509/certificate.js';
import { NODE_HOSTS } from '../../../src/server/auth/node-agents.js';
import { issue, readAll, startProxiedNode } from '../../support/proxied-node.js';

t.test('an agent survives clients without a certificate, resumed sessions too', async t => {
  const { kubelet, ca } = await startProxiedNode(t);
  const { port } = kubelet.address() as AddressInfo;
  const stranger = issue('somebody', 'client', ca);
  const forged = issue('kube-apiserver-kubelet-client', 'client', issue('other', 'ca'));
  const requests = [
    'GET /exec/other/secret/c?command=env HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'GET //%zz/.. HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'CONNECT 10.244.1.200:80 HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /pods HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  ];
  const open = (options: object): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => resolve(socket));
      socket.once('error', reject);
    });
  const clients: [string, Partial<KeyPair>][] = [
    ['none', {}],
    ['a stranger', stranger],
    ['a forged one', forged],
  ];
  for (const [name, pair] of clients)
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'])
      for (const request of requests) {
        const first = await open({ ...pair, maxVersion });
        const session = maxVersion === 'TLSv1.3' ? once(first, 'session') : Promise.resolve([first.getSession()]);
        first.write(request);
        t.match(await readAll(first), /^HTTP\/1.1 401 /, `${name}, ${maxVersion}, ${request}`);
        const [ticket] = (await session) as [Buffer];
        const second = await open({ ...pair, maxVersion, session: ticket });
        second.write(request);
        t.match(await readAll(second), /^HTTP\/1.1 401 /, `${name}, ${maxVersion}, resumed, ${request}`);
      }
});

t.test('what an agent is asked to dial is checked by the agent too', async t => {
  const { kubelet, kubeletClient, serve } = await startProxiedNode(t);
  serve(stream => stream.end('hello'));
  const { port } = kubelet.address() as AddressInfo;
  const rows: [target: string, answer: RegExp][] = [
    ['10.244.1.200:80', /^HTTP\/1.1 200 Connection Established\r\n\r\nhello$/],
    ['10.244.1.200:81', /^HTTP\/1.1 502 .*\r\nDial-Error: connect: connection refused\r\n/],
    ['127.0.0.1:80', /^HTTP\/1.1 403 .*\r\nDial-Error: address not allowed\r\n/],
    ['169.254.169.254:80', /^HTTP\/1.1 403 /],
    ['172.18.0.1:6443', /^HTTP\/1.1 403 /],
    ['0.0.0.0:80', /^HTTP\/1.1 403 /],
    ['localhost:80', /^HTTP\/1.1 400 /],
    ['10.244.1.200:0', /^HTTP\/1.1 400 /],
    ['10.244.1.200:65536', /^HTTP\/1.1 400 /],
    ['10.244.1.200', /^HTTP\/1.1 400 /],
    ['/containerLogs/other/secret/c', /^HTTP\/1.1 400 /],
  ];
  for (const [target, answer] of rows) {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...kubeletClient });
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
    t.match(await readAll(socket), answer, target);
  }
});

t.test("nobody but the holder of a node's certificate gets its requests", async t => {
  const node = await startProxiedNode(t);
  const { ca, objects, api } = node;
  const system = ['system:nodes'];
  const rows: { name: string; pair: KeyPair; good?: boolean; why?: RegExp }[] = [
    { name: 'the node', pair: issue('system:node:evil', 'server', ca, system), good: true },
    { name: 'who answers for many nodes', pair: issue('host', 'server', ca, [NODE_HOSTS]), good: true },
    {
      name: 'of another CA, who says so',
      pair: issue('host', 'server', issue('ca', 'ca'), [NODE_HOSTS]),
      why: /signed by unknown authority/,
    },
    {
      name: 'a node that names it, too',
      pair: issue('system:node:node-1', 'server', ca, system, ['node-1', 'evil']),
      why: /certificate is valid for system:node:node-1, not system:node:evil/,
    },
    {
      name: 'another node',
      pair: issue('system:node:node-1', 'server', ca, system),
      why: /certificate is valid for system:node:node-1, not system:node:evil/,
    },
    { name: 'the API server', pair: issue('kube-apiserver', 'server', ca), why: /not system:node:evil/ },
    { name: 'no node', pair: issue('system:node:evil', 'server', ca), why: /not system:node:evil/ },
    {
      name: 'a client certificate of the node',
      pair: issue('system:node:evil', 'client', ca, system),
      why: /incompatible key usage/,
    },
    {
      name: 'another CA',
      pair: issue('system:node:evil', 'server', issue('ca', 'ca'), system),
      why: /signed by unknown authority/,
    },
    { name: 'itself', pair: issue('system:node:evil', 'ca'), why: /signed by unknown authority/ },
  ];
  for (const { name, pair, good = false, why } of rows) {
    const seen: string[] = [];
    const server: Server = createServer(pair, (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end('{"kind":"SecretList"}');
    });
    server.on('upgrade', (_request, socket) => (seen.push('upgrade'), socket.destroy()));
    server.on('connect', (_request, socket) => (seen.push('connect'), socket.destroy()));
    server.on('tlsClientError', () => undefined);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    objects.set('nodes//evil', {
      metadata: { name: 'evil' },
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: (server.address() as AddressInfo).port } },
      },
    });
    const pod = objects.get('pods/other/secret') as unknown as { spec: object };
    objects.set('pods/other/moved', { ...pod, spec: { ...pod.spec, nodeName: 'evil' } } as never);
    objects.set('pods/default/moved', {
      ...objects.get('pods/default/web'),
      spec: { nodeName: 'evil', containers: [{ name: 'c' }] },
    } as never);
    const proxied = await api.request('GET', '/api/v1/nodes/evil/proxy/api/v1/secrets');
    if (good) {
      t.equal(proxied.status, 200, name);
      t.strictSame(seen, ['GET /api/v1/secrets'], name);
    } else {
      t.match(proxied.body, { kind: 'Status', code: 400, message: 'address not allowed' }, name);
      t.match(
        (await api.request('GET', '/api/v1/namespaces/other/pods/moved/log')).body,
        { code: 500, message: why },
        name,
      );
      t.match(
        (await api.request('GET', '/api/v1/namespaces/default/pods/moved/proxy/')).body,
        { code: 503, message: why },
        name,
      );
      const exec = { headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' } };
      t.match(
        (await api.request('POST', '/api/v1/namespaces/other/pods/moved/exec?command=x&stdout=1', exec)).body,
        { code: 500, message: why },
        name,
      );
      t.strictSame(seen, [], `${name}: nothing was sent to it`);
    }
    server.closeAllConnections();
    server.close();
  }
});

t.test('a node cannot have the API server call itself, or what is on its link', async t => {
  const { objects, api } = await startProxiedNode(t);
  const rows: [address: string, port: number][] = [
    ['127.0.0.1', api.port],
    ['::1', api.port],
    ['localhost', api.port],
    ['169.254.169.254', 80],
    ['::ffff:169.254.169.254', 80],
    ['fe80::1', 80],
    ['0.0.0.0', 10250],
    ['224.0.0.1', 10250],
    ['255.255.255.255', 10250],
  ];
  for (const [address, port] of rows) {
    objects.set('nodes//evil', {
      metadata: { name: 'evil' },
      status: { addresses: [{ type: 'Hostname', address }], daemonEndpoints: { kubeletEndpoint: { Port: port } } },
    });
    t.match(
      (await api.request('GET', '/api/v1/nodes/evil/proxy/api/v1/secrets')).body,
      { kind: 'Status', code: 400, message: 'address not allowed' },
      address,
    );
  }
});
