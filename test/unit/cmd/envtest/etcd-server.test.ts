import { get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createEtcdServer, PLACE_PATH } from '../../../../src/cmd/envtest/etcd-server.js';

const place = { dataDir: '/data', fsync: false };

async function start(t: Test): Promise<number> {
  const server = createEtcdServer(place);
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => new Promise(closed => server.close(closed)));
  return (server.address() as AddressInfo).port;
}

const ask = (port: number, path: string): Promise<{ code: number | undefined; body: string }> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, agent: false }, response => {
      let body = '';
      response.on('data', chunk => (body += String(chunk)));
      response.once('end', () => resolve({ code: response.statusCode, body }));
    }).once('error', reject);
  });

t.test('etcd says that it is healthy and where things are kept, and refuses what it does not do', async t => {
  const port = await start(t);
  const cases = [
    { path: '/health', code: 200, body: '{"health":"true","reason":""}' },
    { path: '/health?serializable=true', code: 200, body: '{"health":"true","reason":""}' },
    { path: '/readyz', code: 200, body: 'ok\n' },
    { path: PLACE_PATH, code: 200, body: '{"dataDir":"/data","fsync":false}' },
  ];
  for (const { path, ...expect } of cases) t.same(await ask(port, path), expect, path);
  t.match(await ask(port, '/v2/keys/x'), { code: 501, body: /what is stored is read through the API server/ });
});

t.test('an etcd client is told by gRPC what this is', async t => {
  const session = connectHttp2(`http://127.0.0.1:${await start(t)}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/etcdserverpb.KV/Range',
    'content-type': 'application/grpc',
  });
  const headers = await new Promise<object>(resolve => stream.once('response', resolve));
  stream.resume();
  t.match(headers, { 'grpc-status': '12', 'grpc-message': /this%20etcd%20is%20Kubette's/ });
  session.destroy();
});

t.test('what is no HTTP is cut off, and the next one is served', async t => {
  const port = await start(t);
  const socket = connect(port, '127.0.0.1', () => socket.write('\x16\x03\x01\0\0'));
  socket.on('error', () => undefined);
  await new Promise(closed => socket.resume().once('close', closed));
  t.match(await ask(port, '/health'), { code: 200 });
});
