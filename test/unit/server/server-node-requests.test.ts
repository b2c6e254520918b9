import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import type { Strategy } from '../../../src/api/strategy.js';
import { until } from '../../support/until.js';
import { withApi, status } from '../../support/server-requests.js';

t.test('requests that a node answers', async t => {
  const now = Date.now();
  const times = { notBefore: now - 1000, notAfter: now + 3_600_000 };
  const ca = issueCertificate({ subject: { commonName: 'ca' }, usage: 'ca', ...times });
  const subject = { commonName: 'system:node:n', organizations: ['system:nodes'] };
  const pair = issueCertificate({ subject, usage: 'server', issuer: ca, ...times });
  const seen: string[] = [];
  const agent = createHttpsServer({ key: pair.key, cert: pair.cert }, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url?.startsWith('/containerLogs/d/bad')) return void response.writeHead(400).end('no such container');
    response.writeHead(200, { 'Content-Type': 'text/plain', 'X-Own': 'yes' });
    request.pipe(response);
    if (request.method === 'GET') response.write('line\n');
  });
  agent.on('upgrade', (request, socket, head: Buffer) => {
    seen.push(`upgrade ${request.headers.upgrade ?? ''} ${request.url}`);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n',
    );
    socket.write(head);
    socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk.toString()}`));
    socket.on('end', () => socket.end());
  });
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  t.teardown(() => {
    agent.closeAllConnections();
    agent.close();
  });
  const node = (port: number): KubeObject => ({
    metadata: { name: 'n' },
    status: {
      addresses: [{ type: 'InternalDNS', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  });
  let port = (agent.address() as AddressInfo).port;
  const strategy: Strategy = {
    subresources: {
      log: {
        kind: 'connect',
        target: (_ctx, key) =>
          key.name === 'unscheduled'
            ? undefined
            : { kind: 'kubelet', node: 'n', path: `/containerLogs/d/${key.name}/c`, upgrade: false },
      },
      exec: {
        kind: 'connect',
        target: (_ctx, key, query) => ({
          kind: 'kubelet',
          node: 'n',
          path: `/exec/d/${key.name}?${query.toString()}`,
          upgrade: true,
        }),
      },
      proxy: {
        kind: 'connect',
        target: () => ({ kind: 'kubelet-proxy', node: 'n' }),
      },
    },
  };
  const api = await withApi(t, {
    strategies: { pods: strategy },
    objects: { get: () => node(port) },
    kubelet: { ...pair, ca: ca.cert },
  });
  const pods = '/api/v1/namespaces/d/pods';

  t.equal((await api.request('GET', `${pods}/unscheduled/log`)).status, 204);
  const log = await api.request('GET', `${pods}/p/log`);
  t.equal(log.text, 'line\n');
  t.equal(log.headers['content-type'], 'text/plain');
  t.same((await api.request('GET', `${pods}/bad/log`)).body, status(400, 'BadRequest', 'no such container'));
  t.same(
    (await api.request('GET', `${pods}/p/exec?command=x`)).body,
    status(400, 'BadRequest', 'Upgrade request required'),
  );
  const moved = await api.request('GET', `${pods}/p/proxy?a=b`);
  t.equal(moved.status, 301);
  t.equal(moved.headers['location'], `${pods}/p/proxy/?a=b`);
  const proxied = await api.request('POST', `${pods}/p/proxy/a%2Fb/?q=1`, { body: 'hello' });
  t.equal(proxied.text, 'hello');
  t.equal(proxied.headers['x-own'], 'yes');
  t.ok(seen.includes('POST /a/b/?q=1'), 'the path below the proxy, and the query');

  const socket = await api.socket();
  socket.write(
    `POST ${pods}/p/exec?command=ls&command=-l HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n`,
  );
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until('switched', () => text.includes('\r\n\r\n'));
  t.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  t.match(text, /X-Stream-Protocol-Version: v4\.channel\.k8s\.io/);
  socket.write('abc');
  await until('echo', () => text.endsWith('echo abc'));
  socket.end();
  await once(socket, 'close');
  t.ok(seen.includes('upgrade SPDY/3.1 /exec/d/p?command=ls&command=-l'));

  port = 1;
  t.same(
    (await api.request('GET', `${pods}/p/log`)).body,
    status(
      500,
      undefined,
      'Get "https://127.0.0.1:1/containerLogs/d/p/c": dial tcp 127.0.0.1:1: connect: connection refused',
    ),
  );
  t.same(
    (await api.request('GET', `${pods}/p/proxy/`)).body,
    status(
      503,
      'ServiceUnavailable',
      'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused',
    ),
  );
  const dead = await api.request('POST', `${pods}/p/exec?command=x`, {
    headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
  });
  t.same(dead.body, status(500, undefined, 'error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused'));
});
