import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import t from 'tap';
import { issueCertificate, type KeyPair } from '../../../src/machinery/x509/certificate.js';
import { createAuthentication } from '../../../src/server/auth/authn/authenticate.js';
import { STANDARD_HEADERS } from '../../../src/server/auth/authn/request-header.js';
import { isStatusError } from '../../../src/machinery/status.js';

const TIMES = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000 };
const authority = (commonName: string): KeyPair => issueCertificate({ subject: { commonName }, usage: 'ca', ...TIMES });
const usersCa = authority('kubernetes');
const proxiesCa = authority('front-proxy-ca');
/** Has the name of the users' CA, and signs nothing of it. */
const namesake = authority('kubernetes');
const client = (issuer: KeyPair, commonName: string, organizations: string[] = []): KeyPair =>
  issueCertificate({ issuer, subject: { commonName, organizations }, usage: 'client', ...TIMES });

interface Case {
  readonly name: string;
  readonly certificate?: KeyPair;
  readonly headers?: Record<string, string | string[]>;
  readonly expect: unknown;
}

const FORGED = { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' };
const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const proxy = client(proxiesCa, 'front-proxy-client');

const CASES: readonly Case[] = [
  { name: 'headers without a certificate say nothing', headers: FORGED, expect: anonymous },
  {
    name: 'headers with a user’s certificate say nothing',
    certificate: client(usersCa, 'jane', ['dev']),
    headers: FORGED,
    expect: { name: 'jane', groups: ['dev', 'system:authenticated'] },
  },
  {
    name: 'a front proxy speaks for a user',
    certificate: proxy,
    headers: {
      'X-Remote-User': 'bob',
      'X-Remote-Uid': 'u-1',
      'X-Remote-Group': ['a', 'b', ''],
      'X-Remote-Extra-Scopes': ['one', 'two'],
      'X-Remote-Extra-Example.com%2fKey': 'x',
      'X-Remote-Extra-Bad%zz': 'y',
    },
    expect: {
      name: 'bob',
      uid: 'u-1',
      groups: ['a', 'b', 'system:authenticated'],
      extra: { scopes: ['one', 'two'], 'example.com/key': ['x'], 'bad%zz': ['y'] },
    },
  },
  {
    name: 'names are UTF-8',
    certificate: proxy,
    headers: { 'X-Remote-User': Buffer.from('Jürgen').toString('latin1') },
    expect: { name: 'Jürgen', groups: ['system:authenticated'] },
  },
  { name: 'a front proxy that speaks for nobody is nobody', certificate: proxy, expect: 401 },
  {
    name: 'a front proxy of another name',
    certificate: client(proxiesCa, 'somebody', ['system:masters']),
    headers: FORGED,
    expect: 401,
  },
  {
    name: 'the front proxies’ CA makes no users',
    certificate: client(proxiesCa, 'kubernetes-admin', ['system:masters']),
    expect: 401,
  },
  {
    name: 'a user with a front proxy’s name is a user',
    certificate: client(usersCa, 'front-proxy-client'),
    headers: FORGED,
    expect: { name: 'front-proxy-client', groups: ['system:authenticated'] },
  },
  { name: 'a namesake of the CA', certificate: client(namesake, 'front-proxy-client'), headers: FORGED, expect: 401 },
];

t.test('whose word about users is taken', async t => {
  const authentication = createAuthentication({
    tokens: [],
    apiAudiences: [],
    anonymous: true,
    clientCa: usersCa.cert,
    requestHeader: { ...STANDARD_HEADERS, clientCa: proxiesCa.cert, allowedNames: ['front-proxy-client'] },
  });
  const serving = issueCertificate({
    issuer: usersCa,
    subject: { commonName: 'kube-apiserver' },
    usage: 'server',
    subjectAltNames: ['127.0.0.1'],
    ...TIMES,
  });
  let left: readonly string[] = [];
  const server = createServer(
    { ...serving, ca: `${usersCa.cert}\n${proxiesCa.cert}`, requestCert: true, rejectUnauthorized: false },
    (raw, response) => {
      let found: unknown;
      try {
        found = authentication.authenticate({ raw, socket: raw.socket as TLSSocket });
      } catch (error) {
        found = isStatusError(error) ? error.status.code : String(error);
      }
      left = [...Object.keys(raw.headers), ...Object.keys(raw.headersDistinct)].filter(n => n.startsWith('x-remote'));
      response.end(JSON.stringify(found));
    },
  ).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const { name, certificate, headers = {}, expect } of CASES)
    await t.test(name, async t => {
      const asked = request({ port, host: '127.0.0.1', ca: usersCa.cert, agent: false, headers, ...certificate });
      asked.end();
      const [answer] = (await once(asked, 'response')) as [AsyncIterable<Buffer>];
      let text = '';
      for await (const chunk of answer) text += chunk.toString();
      const user = JSON.parse(text) as { extra?: Record<string, unknown> };
      if (user.extra !== undefined && 'authentication.kubernetes.io/credential-id' in user.extra) delete user.extra;
      t.strictSame(user, expect);
      t.strictSame(left, [], 'nobody after authentication sees the headers');
    });
});
