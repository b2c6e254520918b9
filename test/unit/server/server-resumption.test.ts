import { once } from 'node:events';
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import t from 'tap';
import { clientCertificateAuthenticator } from '../../../src/server/auth/authn/client-certificate.js';
import { startFakeApi } from '../../support/fake-api.js';
import { until } from '../../support/until.js';

t.test('a resumed session without a client certificate is nobody, for requests and upgrades', async t => {
  const authenticator = clientCertificateAuthenticator();
  const api = await startFakeApi();
  t.teardown(() => api.close());
  const seen: string[] = [];
  const { authentication } = api.context;
  Object.assign(authentication, {
    authenticate: (request: Parameters<typeof authenticator>[0]) => {
      seen.push(authenticator(request).kind);
      return { name: 'system:anonymous', groups: ['system:unauthenticated'] };
    },
  });
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options: ConnectionOptions = {
      host: '127.0.0.1',
      port: api.port,
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
    };
    const open = async (session?: Buffer): Promise<{ socket: TLSSocket; session: Promise<Buffer> }> => {
      const socket = tlsConnect({ ...options, ...(session === undefined ? {} : { session }) });
      const ticket = once(socket, 'session').then(([bytes]) => bytes as Buffer);
      ticket.catch(() => undefined);
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      return { socket, session: ticket };
    };
    const first = await open();
    first.socket.write('GET /version HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(first.socket, 'data');
    const session = await first.session;
    first.socket.destroy();
    for (const upgrade of ['websocket', 'SPDY/3.1', 'h2c', 'websocket, h2c']) {
      const { socket } = await open(session);
      t.ok(socket.isSessionReused(), `${version}: resumed`);
      socket.write(
        `GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`,
      );
      const [answer] = (await once(socket, 'data')) as [Buffer];
      t.match(answer.toString(), /^HTTP\/1\.1 \d{3} /, `${version}: an upgrade to ${upgrade} is answered`);
      socket.destroy();
    }
    const { socket } = await open(session);
    // Gone before anything is done with it.
    socket.write('GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.destroy();
  }
  const { status } = await api.request('GET', '/version');
  t.equal(status, 200, 'the server is there');
  t.ok(seen.length >= 9 && seen.every(kind => kind === 'none'), 'nobody was taken for somebody');
});

t.test('absence of a certificate is looked at first, whatever a socket says', async t => {
  const authenticator = clientCertificateAuthenticator();
  for (const [name, certificate] of [
    ['null', null],
    ['undefined', undefined],
    ['an empty object', {}],
    ['a subject alone', { subject: { CN: 'admin', O: 'system:masters' } }],
  ] as const) {
    const socket = {
      authorized: true,
      getPeerCertificate: () => certificate,
      getPeerX509Certificate: () => (certificate === null ? null : undefined),
    } as unknown as TLSSocket;
    t.equal(authenticator({ raw: { headers: {}, headersDistinct: {} }, socket }).kind, 'none', name);
  }
});

t.test('a client that reads a long answer too slowly is cut off when its time is over', async t => {
  const api = await startFakeApi();
  t.teardown(() => api.close());
  const fake = api.registry('configmaps');
  for (let i = 0; i < 64; i++) fake.put('d', { metadata: { name: `c${i}` }, data: { text: 'x'.repeat(512 << 10) } });
  const socket = await api.socket();
  socket.on('error', () => undefined);
  socket.write('GET /api/v1/namespaces/d/configmaps?timeout=500ms HTTP/1.1\r\nHost: x\r\n\r\n');
  socket.pause();
  await until('no connection', async () => (await api.connections()) === 0);
  t.pass('its connection is gone');
  socket.destroy();
});
