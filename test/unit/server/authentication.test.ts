import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import t from 'tap';
import { loadKubeConfig } from '../../../src/client/kubeconfig.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import { createAuthentication } from '../../../src/server/auth/authn/authenticate.js';
import { NONE, type Credentials } from '../../../src/server/auth/authn/authenticator.js';
import { clientCertificateAuthenticator } from '../../../src/server/auth/authn/client-certificate.js';
import { serviceAccountTokenAuthenticator } from '../../../src/server/auth/authn/service-account-token.js';
import { parseTokenFile, tokenFileAuthenticator } from '../../../src/server/auth/authn/token-file.js';
import { ADMIN, ensureKubeconfig, nodeIdentity } from '../../../src/cluster/keys/kubeconfig.js';
import { ensurePki } from '../../../src/cluster/keys/pki.js';
import { createTokenIssuer } from '../../../src/server/auth/token/issuer.js';
import { objectsOf } from '../../support/auth.js';

t.jobs = 1;

t.test('client certificates, over TLS with kubeconfig files', async t => {
  const dir = t.testdir();
  const pki = await ensurePki(dir, { clock: realClock });
  const stranger = issueCertificate({
    subject: { commonName: 'system:admin', organizations: ['system:masters'] },
    notBefore: realClock.now() - 1000,
    notAfter: realClock.now() + 1e6,
    usage: 'client',
  });
  const server = createServer({
    cert: pki.serving.cert,
    key: pki.serving.key,
    ca: pki.ca.cert,
    requestCert: true,
    rejectUnauthorized: false,
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}`;
  const authenticate = clientCertificateAuthenticator();

  const identify = async (credentials: { cert?: string; key?: string }): Promise<unknown> => {
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    const client = connect({ port, host: '127.0.0.1', ca: pki.ca.cert, ...credentials });
    const [socket] = await accepted;
    const outcome = authenticate({ raw: { headers: {}, headersDistinct: {} }, socket });
    t.equal(authenticate({ raw: { headers: {}, headersDistinct: {} }, socket }), outcome, 'asked once per connection');
    client.destroy();
    return outcome;
  };

  const admin = await loadKubeConfig(await ensureKubeconfig(dir, pki, ADMIN, url));
  t.equal((await stat(join(dir, 'kubeconfig'))).mode & 0o777, 0o600);
  t.match(admin, { server: url, ca: pki.ca.cert, namespace: 'default' });
  t.match(await identify({ cert: admin.cert ?? '', key: admin.key ?? '' }), {
    kind: 'user',
    user: {
      name: 'kubernetes-admin',
      groups: ['system:masters'],
      extra: { 'authentication.kubernetes.io/credential-id': [/^X509SHA256=[0-9a-f]{64}$/] },
    },
  });
  const node = await loadKubeConfig(await ensureKubeconfig(dir, pki, nodeIdentity('node-1'), url));
  t.match(await identify({ cert: node.cert ?? '', key: node.key ?? '' }), {
    user: { name: 'system:node:node-1', groups: ['system:nodes'] },
  });
  t.same(await identify({}), NONE);
  t.match(await identify(stranger), { kind: 'refused' }, 'signed by nobody we know');

  const text = await readFile(join(dir, 'kubeconfig'), 'utf8');
  await ensureKubeconfig(dir, pki, ADMIN, url);
  t.equal(await readFile(join(dir, 'kubeconfig'), 'utf8'), text, 'left alone');
  await ensureKubeconfig(dir, pki, ADMIN, 'https://127.0.0.1:1');
  t.match(await readFile(join(dir, 'kubeconfig'), 'utf8'), 'server: https://127.0.0.1:1\n');
});

t.test('token files', t => {
  const cases: { name: string; text: string; expect?: Record<string, unknown>; error?: string; warn?: string[] }[] = [
    {
      name: 'three and four columns, quotes, blank lines',
      text: 'a,alice,1\n\nb,bob,2,"dev,ops"\r\n"c,""x""",carol,3,solo',
      expect: {
        a: { name: 'alice', uid: '1', groups: [] },
        b: { name: 'bob', uid: '2', groups: ['dev', 'ops'] },
        'c,"x"': { name: 'carol', uid: '3', groups: ['solo'] },
      },
    },
    { name: 'empty', text: '', expect: {} },
    { name: 'a field over two lines', text: '"a\nb",x,1', expect: { 'a\nb': { name: 'x', uid: '1', groups: [] } } },
    {
      name: 'empty and repeated tokens',
      text: ',x,1\na,first,1\na,second,2\n',
      expect: { a: { name: 'second', uid: '2', groups: [] } },
      warn: [
        "empty token has been found in token file 'f', record number '1'",
        "duplicate token has been found in token file 'f', record number '3'",
      ],
    },
    {
      name: 'too few columns',
      text: 'a,b',
      error: "token file 'f' must have at least 3 columns (token, user name, user uid), found 2",
    },
    { name: 'bare quote', text: 'a,b"c,1', error: 'parse error on line 1, column 4: bare " in non-quoted-field' },
    {
      name: 'text after a quote',
      text: 'x,y,1\n"a"b,c,1',
      error: 'parse error on line 2, column 3: extraneous or missing " in quoted-field',
    },
    {
      name: 'open quote',
      text: '"a,b,1\n',
      error: 'record on line 1; parse error on line 2, column 1: extraneous or missing " in quoted-field',
    },
  ];
  for (const c of cases) {
    const warnings: string[] = [];
    const parse = (): unknown => Object.fromEntries(parseTokenFile('f', c.text, w => warnings.push(w)));
    if (c.error !== undefined) t.throws(parse, { name: 'TokenFileError', message: c.error }, c.name);
    else t.same(parse(), c.expect, c.name);
    t.same(warnings, c.warn ?? [], c.name);
  }
  t.end();
});

/** One key for all token tests: making RSA keys is slow. */
const saKey = ensurePki(t.testdir(), { clock: realClock }).then(pki => pki.serviceAccountKey);

t.test('authentication: credentials in order, anonymous, 401', async t => {
  const key = await saKey;
  const clock = new FakeClock();
  const issuer = createTokenIssuer({ clock, key });
  const tokens = parseTokenFile('f', 'good,jane,7,"dev"\nanon,system:anonymous,0,x');
  const make = (anonymous: boolean) =>
    createAuthentication({
      apiAudiences: issuer.apiAudiences,
      anonymous,
      tokens: [
        tokenFileAuthenticator(tokens, issuer.apiAudiences),
        serviceAccountTokenAuthenticator({ issuer, lookup: objectsOf(), clock }),
      ],
    });
  const request = (headers: Record<string, string>, cert?: { cn: string; authorized: boolean }): Credentials => ({
    raw: { headers, headersDistinct: {} },
    socket: {
      authorized: cert?.authorized === true,
      authorizationError: new Error('x'),
      getPeerCertificate: () =>
        cert === undefined ? {} : { raw: Buffer.from('x'), subject: { CN: cert.cn, O: ['a', 'b'] } },
      getPeerX509Certificate: () => (cert === undefined ? undefined : { fingerprint256: cert.cn }),
    } as unknown as TLSSocket,
  });
  const websocket = (protocols: string): Record<string, string> => ({
    upgrade: 'websocket',
    'sec-websocket-protocol': protocols,
  });
  const bearer = (token: string): string =>
    `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`;
  const cases: { name: string; request: Credentials; anonymous?: boolean; expect: unknown }[] = [
    {
      name: 'nothing',
      request: request({}),
      expect: { name: 'system:anonymous', groups: ['system:unauthenticated'] },
    },
    { name: 'nothing, anonymous off', request: request({}), anonymous: false, expect: 401 },
    {
      name: 'good token',
      request: request({ authorization: 'Bearer good' }),
      expect: { name: 'jane', uid: '7', groups: ['dev', 'system:authenticated'] },
    },
    { name: 'scheme in any case', request: request({ authorization: 'bearer good' }), expect: { name: 'jane' } },
    { name: 'bad token', request: request({ authorization: 'Bearer bad' }), expect: 401 },
    { name: 'JWT of another issuer', request: request({ authorization: 'Bearer a.b.c' }), expect: 401 },
    { name: 'empty token', request: request({ authorization: 'Bearer ' }), expect: { name: 'system:anonymous' } },
    { name: 'two spaces', request: request({ authorization: 'Bearer  good' }), expect: { name: 'system:anonymous' } },
    { name: 'basic', request: request({ authorization: 'Basic YTpi' }), expect: { name: 'system:anonymous' } },
    {
      name: 'certificate',
      request: request({}, { cn: 'bob', authorized: true }),
      expect: { name: 'bob', groups: ['a', 'b', 'system:authenticated'] },
    },
    {
      name: 'certificate before token',
      request: request({ authorization: 'Bearer good' }, { cn: 'bob', authorized: true }),
      expect: { name: 'bob' },
    },
    {
      name: 'bad certificate, good token',
      request: request({ authorization: 'Bearer good' }, { cn: 'bob', authorized: false }),
      expect: { name: 'jane' },
    },
    { name: 'bad certificate', request: request({}, { cn: 'bob', authorized: false }), expect: 401 },
    {
      name: 'certificate without a name',
      request: request({}, { cn: '', authorized: true }),
      expect: { name: 'system:anonymous' },
    },
    {
      name: 'token file may name the anonymous user, who stays unauthenticated',
      request: request({ authorization: 'Bearer anon' }),
      expect: { name: 'system:anonymous', groups: ['x'] },
    },
    {
      name: 'token as a WebSocket protocol',
      request: request(websocket(`${bearer('good')}, v5.channel.k8s.io`)),
      expect: { name: 'jane' },
    },
    { name: 'alone it is no protocol', request: request(websocket(bearer('good'))), expect: 401 },
    {
      name: 'two tokens',
      request: request(websocket(`${bearer('good')}, ${bearer('x')}, v5.channel.k8s.io`)),
      expect: 401,
    },
    {
      name: 'without upgrade the header says nothing',
      request: request({ 'sec-websocket-protocol': `${bearer('good')}, x` }),
      expect: { name: 'system:anonymous' },
    },
  ];
  for (const c of cases) {
    const authentication = make(c.anonymous ?? true);
    if (c.expect === 401) {
      t.throws(() => authentication.authenticate(c.request), { code: 401, message: 'Unauthorized' }, c.name);
    } else t.match(authentication.authenticate(c.request), c.expect, c.name);
  }
  const upgraded = request(websocket(`a, ${bearer('good')}, b`));
  make(true).authenticate(upgraded);
  t.equal(upgraded.raw.headers['sec-websocket-protocol'], 'a,b', 'the token is not offered as a protocol');

  const review = make(true);
  t.same(review.authenticateToken('nonsense', []), { reason: 'invalid bearer token' });
  t.match(review.authenticateToken('good', []), { user: { name: 'jane' }, audiences: issuer.apiAudiences });
  t.same(review.authenticateToken('good', ['x']), { reason: 'invalid bearer token' });
  const foreign = issuer.issue({
    namespace: 'ns',
    account: { name: 'a', uid: 'u' },
    audiences: ['y'],
    seconds: 600,
  });
  t.same(review.authenticateToken(foreign, ['x']), {
    reason: '[invalid bearer token, token audiences ["y"] is invalid for the target audiences ["x"]]',
  });
});
