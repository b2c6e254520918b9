import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import t from 'tap';
import { loadKubeConfig } from '../../../src/client/kubeconfig.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { StatusError } from '../../../src/machinery/status.js';
import type { KubeObject, ObjectKey } from '../../../src/machinery/types.js';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import type { ResourceInfo } from '../../../src/api/resource-info.js';
import type { Objects, RequestContext, UserInfo } from '../../../src/api/strategy.js';
import type { AdmissionRequest } from '../../../src/server/admission/types.js';
import { createAuthentication } from '../../../src/server/auth/authn/authenticate.js';
import { NONE, type Credentials } from '../../../src/server/auth/authn/authenticator.js';
import { clientCertificateAuthenticator } from '../../../src/server/auth/authn/client-certificate.js';
import { legacyTokenAuthenticator } from '../../../src/server/auth/authn/legacy-token.js';
import { serviceAccountTokenAuthenticator } from '../../../src/server/auth/authn/service-account-token.js';
import { parseTokenFile, tokenFileAuthenticator } from '../../../src/server/auth/authn/token-file.js';
import { alwaysAllow, alwaysDeny, privilegedGroup, unionAuthorizer } from '../../../src/server/auth/authorizer.js';
import type { Attributes } from '../../../src/server/auth/authorizer.js';
import { notAllowedError } from '../../../src/server/auth/forbidden.js';
import { impersonate } from '../../../src/server/auth/impersonation.js';
import { ADMIN, ensureKubeconfig, nodeIdentity } from '../../../src/cluster/keys/kubeconfig.js';
import { NODE_AGENTS } from '../../../src/server/auth/node-agents.js';
import type { Lookup } from '../../../src/server/auth/lookup.js';
import { createNodeAuthorizer } from '../../../src/server/auth/node-authorizer.js';
import { ensurePki, PkiError } from '../../../src/cluster/keys/pki.js';
import { bootstrapPolicy } from '../../../src/server/auth/policy/bootstrap-policy.js';
import { NODE_RULES } from '../../../src/server/auth/policy/node-rules.js';
import { rbacEscalationCheck } from '../../../src/server/auth/rbac/escalation.js';
import { createRbacAuthorizer } from '../../../src/server/auth/rbac/rbac-authorizer.js';
import { createRuleResolver } from '../../../src/server/auth/rbac/rule-resolver.js';
import { ruleAllows, uncovered, type PolicyRule } from '../../../src/server/auth/rbac/rules.js';
import { reconcilePolicy } from '../../../src/server/bootstrap/reconcile-policy.js';
import { createTokenIssuer, oidcDocuments, type IssueOptions } from '../../../src/server/auth/token/issuer.js';
import { isSignedByOneOf, LEGACY_ISSUER, parseJwt, signingKey, signJwt } from '../../../src/machinery/jwt.js';
import { splitServiceAccountUser } from '../../../src/server/auth/user.js';

t.jobs = 1;

/** Objects in a map that tests may change. */
function objectsOf(initial: readonly { resource: string; object: KubeObject }[] = []): Lookup & {
  add(resource: string, object: KubeObject): void;
  remove(resource: string, key: ObjectKey): void;
} {
  const byResource = new Map<string, Map<string, KubeObject>>();
  const idOf = (key: ObjectKey): string => `${key.namespace}/${key.name}`;
  const of = (resource: string): Map<string, KubeObject> => {
    const known = byResource.get(resource) ?? new Map<string, KubeObject>();
    byResource.set(resource, known);
    return known;
  };
  const add = (resource: string, object: KubeObject): void => {
    const { namespace = '', name = '' } = object.metadata;
    of(resource).set(idOf({ namespace, name }), object);
  };
  for (const { resource, object } of initial) add(resource, object);
  return {
    add,
    remove: (resource, key) => void of(resource).delete(idOf(key)),
    get: (resource, key) => of(resource).get(idOf(key)),
    list: (resource, namespace = '') =>
      [...of(resource).values()].filter(o => namespace === '' || o.metadata.namespace === namespace),
  };
}

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, 'system:authenticated'] });

/** "get pods/log ns/name in group" in short: `ask(user, 'get', 'apps:deployments/scale', 'ns', 'name')`. */
function ask(who: UserInfo, verb: string, what: string, namespace = '', name = ''): Attributes {
  const isResource = !what.startsWith('/');
  const [left = '', right] = isResource ? what.split(':') : [''];
  const [resource = '', subresource = ''] = (right ?? left).split('/');
  return {
    user: who,
    verb,
    isResource,
    group: right === undefined ? '' : left,
    version: 'v1',
    resource,
    subresource,
    namespace,
    name,
    path: isResource ? '' : what,
  };
}

const pem = (kind: string): RegExp => new RegExp(`^-----BEGIN ${kind}-----\n`);

t.test('pki: made once, kept, renewed when it must be', async t => {
  const dir = t.testdir();
  const clock = new FakeClock();
  const first = await ensurePki(dir, { clock, serverNames: ['10.96.0.1', 'my-host'] });
  t.match(first.ca.cert, pem('CERTIFICATE'));
  t.match(first.serviceAccountKey, pem('RSA PRIVATE KEY'));
  const cert = new X509Certificate(first.serving.cert);
  for (const name of ['localhost', 'kubernetes', 'kubernetes.default.svc.cluster.local', 'my-host'])
    t.equal(cert.checkHost(name), name);
  for (const ip of ['127.0.0.1', '::1', '10.96.0.1']) t.equal(cert.checkIP(ip), ip);
  t.ok(cert.checkIssued(new X509Certificate(first.ca.cert)));
  t.ok(cert.verify(new X509Certificate(first.ca.cert).publicKey));
  for (const file of ['ca.key', 'apiserver.key', 'sa.key'])
    t.equal((await stat(join(dir, 'pki', file))).mode & 0o777, 0o600, file);

  const names = ['10.96.0.1', 'my-host'];
  const same = await ensurePki(dir, { clock, serverNames: names });
  t.same([same.ca, same.serving, same.serviceAccountKey], [first.ca, first.serving, first.serviceAccountKey]);
  const renamed = await ensurePki(dir, { clock, serverNames: [...names, '10.97.0.1'] });
  t.same(renamed.ca, first.ca);
  t.not(renamed.serving.cert, first.serving.cert, 'another name, another certificate');
  clock.step(340 * 86_400_000);
  const renewed = await ensurePki(dir, { clock, serverNames: [...names, '10.97.0.1'] });
  t.same(renewed.ca, first.ca);
  t.not(renewed.serving.cert, renamed.serving.cert, 'about to expire');
  t.notOk((await readdir(join(dir, 'pki'))).some(file => file.endsWith('.tmp')));
});

t.test('pki: what a crash leaves behind, and what is really broken', async t => {
  const cases: { name: string; break: (pki: string) => Promise<void>; error?: RegExp; newCa?: boolean }[] = [
    { name: 'key of the CA written, certificate not', break: pki => rm(join(pki, 'ca.crt')), newCa: true },
    { name: 'serving key without certificate', break: pki => rm(join(pki, 'apiserver.crt')) },
    { name: 'serving certificate without key', break: pki => rm(join(pki, 'apiserver.key')) },
    { name: 'serving certificate cut short', break: pki => writeFile(join(pki, 'apiserver.crt'), '-----BEGIN') },
    { name: 'public key of service accounts', break: pki => rm(join(pki, 'sa.pub')) },
    { name: 'key of the CA lost', break: pki => rm(join(pki, 'ca.key')), error: /ca\.key is missing$/ },
    {
      name: 'CA damaged',
      break: pki => writeFile(join(pki, 'ca.crt'), 'x'),
      error: /are damaged: /,
    },
    {
      name: 'service account key damaged',
      break: pki => writeFile(join(pki, 'sa.key'), ''),
      error: /sa\.key is damaged/,
    },
  ];
  for (const c of cases) {
    await t.test(c.name, async t => {
      const dir = t.testdir();
      const before = await ensurePki(dir, { clock: realClock });
      await c.break(join(dir, 'pki'));
      if (c.error !== undefined) {
        const error = await ensurePki(dir, { clock: realClock }).catch((e: unknown) => e);
        t.ok(error instanceof PkiError);
        t.match((error as Error).message, c.error);
        return;
      }
      const after = await ensurePki(dir, { clock: realClock });
      t.equal(after.ca.cert === before.ca.cert, c.newCa !== true);
      t.equal(after.serviceAccountKey, before.serviceAccountKey);
      t.ok(new X509Certificate(after.serving.cert).verify(new X509Certificate(after.ca.cert).publicKey));
    });
  }
});

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

t.test('tokens kept in Secrets', async t => {
  const key = await saKey;
  const CLAIM = 'kubernetes.io/serviceaccount/';
  const claims = {
    iss: LEGACY_ISSUER,
    [`${CLAIM}namespace`]: 'ns',
    [`${CLAIM}secret.name`]: 's',
    [`${CLAIM}service-account.name`]: 'robot',
    [`${CLAIM}service-account.uid`]: 'sa-uid',
    sub: 'system:serviceaccount:ns:robot',
  };
  const cases: { name: string; claims?: object; kept?: string; uid?: string; labels?: object; reason?: string }[] = [
    { name: 'good for as long as the Secret holds it' },
    { name: 'another token', kept: 'other', reason: "Token does not match server's copy" },
    { name: 'another account', uid: 'new', reason: 'ServiceAccount UID (new) does not match claim (sa-uid)' },
    { name: 'another subject', claims: { sub: 'x' }, reason: 'sub claim is invalid' },
    { name: 'no Secret', claims: { [`${CLAIM}secret.name`]: 'gone' }, reason: 'Token has been invalidated' },
    { name: 'no namespace', claims: { [`${CLAIM}namespace`]: '' }, reason: 'namespace claim is missing' },
  ];
  for (const row of cases) {
    const token = signJwt({ ...claims, ...row.claims }, signingKey(key));
    const data = { token: Buffer.from(row.kept ?? token).toString('base64') };
    const lookup = objectsOf([
      {
        resource: 'serviceaccounts',
        object: { metadata: { name: 'robot', namespace: 'ns', uid: row.uid ?? 'sa-uid' } },
      },
      { resource: 'secrets', object: { metadata: { name: 's', namespace: 'ns' }, data } },
    ]);
    const issuer = createTokenIssuer({ clock: new FakeClock(), key });
    const outcome = legacyTokenAuthenticator({ issuer, lookup })(token, issuer.apiAudiences);
    if (row.reason === undefined) t.match(outcome, { kind: 'user', user: { uid: 'sa-uid' } }, row.name);
    else t.same(outcome, { kind: 'refused', reason: row.reason }, row.name);
  }
});

t.test('tokens signed with ECDSA keys, and verified with certificates and other keys', async t => {
  const rsa = await saKey;
  for (const [namedCurve, alg, crv] of [
    ['P-256', 'ES256', 'P-256'],
    ['P-384', 'ES384', 'P-384'],
    ['P-521', 'ES512', 'P-521'],
  ] as const) {
    const pair = generateKeyPairSync('ec', { namedCurve });
    const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const verifies = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const issuer = createTokenIssuer({ clock: new FakeClock(), key, verifyingKeys: [rsa, verifies] });
    const token = issuer.issue({ namespace: 'ns', account: { name: 'a', uid: 'u' }, audiences: ['x'], seconds: 60 });
    const jwt = parseJwt(token);
    if (jwt === undefined) throw new Error('it is no token');
    t.match(jwt, { algorithm: alg, keyId: issuer.keys[1]?.id });
    t.ok(isSignedByOneOf(jwt, issuer.keys), alg);
    t.notOk(isSignedByOneOf(jwt, issuer.keys.slice(0, 1)), `${alg} by another key`);
    t.notOk(isSignedByOneOf({ ...jwt, algorithm: 'RS256' }, issuer.keys), 'by its key, and another algorithm');
    const documents = oidcDocuments(issuer, 'https://127.0.0.1:6443');
    t.match(JSON.parse(documents.configuration), { id_token_signing_alg_values_supported: [alg, 'RS256'] });
    t.match(JSON.parse(documents.keys), { keys: [{ kty: 'RSA' }, { kty: 'EC', crv, alg, kid: jwt.keyId }] });
  }
  const other = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  t.throws(() => signingKey(other), { message: /^want an RSA key, or an ECDSA key/ });
});

t.test('service account tokens', async t => {
  const key = await saKey;
  const clock = new FakeClock();
  const object = (name: string, namespace: string | undefined, uid: string, spec = {}): KubeObject => ({
    metadata: { name, uid, ...(namespace === undefined ? {} : { namespace }) },
    spec,
  });
  const setup = () => {
    const objects = objectsOf([
      { resource: 'serviceaccounts', object: object('robot', 'ns', 'sa-uid') },
      { resource: 'pods', object: object('p', 'ns', 'pod-uid') },
      { resource: 'secrets', object: object('s', 'ns', 'secret-uid') },
      { resource: 'nodes', object: object('n', undefined, 'node-uid') },
    ]);
    const issuer = createTokenIssuer({ clock, key });
    return { objects, issuer, check: serviceAccountTokenAuthenticator({ issuer, lookup: objects, clock }) };
  };
  const API = 'https://kubernetes.default.svc.cluster.local';
  const basic: IssueOptions = {
    namespace: 'ns',
    account: { name: 'robot', uid: 'sa-uid' },
    audiences: [API],
    seconds: 3600,
  };

  const { issuer } = setup();
  const jwt = parseJwt(issuer.issue({ ...basic, pod: { name: 'p', uid: 'pod-uid' } }));
  const seconds = clock.now() / 1000;
  t.match(jwt?.claims, {
    iss: API,
    aud: [API],
    sub: 'system:serviceaccount:ns:robot',
    iat: seconds,
    nbf: seconds,
    exp: seconds + 3600,
    jti: /^[0-9a-f-]{36}$/,
    'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'robot', uid: 'sa-uid' }, pod: { name: 'p' } },
  });
  const documents = oidcDocuments(issuer, 'https://127.0.0.1:6443');
  t.match(JSON.parse(documents.configuration), { issuer: API, jwks_uri: 'https://127.0.0.1:6443/openid/v1/jwks' });
  t.match(JSON.parse(documents.keys), { keys: [{ use: 'sig', kty: 'RSA', alg: 'RS256', kid: jwt?.keyId, e: 'AQAB' }] });

  const NODE = 'authentication.kubernetes.io';
  const cases: {
    name: string;
    token?: Partial<IssueOptions>;
    spoil?: (token: string) => string;
    audiences?: string[];
    later?: number;
    change?: (objects: ReturnType<typeof objectsOf>) => void;
    expect: unknown;
  }[] = [
    {
      name: 'plain',
      expect: {
        kind: 'user',
        user: {
          name: 'system:serviceaccount:ns:robot',
          uid: 'sa-uid',
          groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'],
          extra: { [`${NODE}/credential-id`]: [/^JTI=/] },
        },
        audiences: [API],
      },
    },
    {
      name: 'bound to a pod on a node',
      token: { pod: { name: 'p', uid: 'pod-uid' }, node: { name: 'elsewhere', uid: 'x' } },
      expect: {
        user: {
          extra: {
            [`${NODE}/pod-name`]: ['p'],
            [`${NODE}/pod-uid`]: ['pod-uid'],
            [`${NODE}/node-name`]: ['elsewhere'],
            [`${NODE}/node-uid`]: ['x'],
          },
        },
      },
    },
    { name: 'bound to a node', token: { node: { name: 'n', uid: 'node-uid' } }, expect: { kind: 'user' } },
    { name: 'bound to a secret', token: { secret: { name: 's', uid: 'secret-uid' } }, expect: { kind: 'user' } },
    { name: 'within the leeway', later: 3600 + 50, expect: { kind: 'user' } },
    { name: 'not a JWT', spoil: () => 'nonsense', expect: NONE },
    { name: 'JWT of nobody', spoil: () => 'a.b.c', expect: NONE },
    {
      name: 'changed claims',
      spoil: token => {
        const [head = '', , signature = ''] = token.split('.');
        const claims = { ...parseJwt(token)?.claims, sub: 'system:serviceaccount:kube-system:admin' };
        return `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
      },
      expect: { kind: 'refused', reason: 'go-jose/go-jose: error in cryptographic primitive' },
    },
    {
      name: 'algorithm none',
      spoil: token => {
        const head = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
        return `${head}.${token.split('.')[1] ?? ''}.`;
      },
      expect: { kind: 'refused' },
    },
    { name: 'expired', later: 3600 + 61, expect: { kind: 'refused', reason: 'service account token has expired' } },
    { name: 'too early', later: -120, expect: { kind: 'refused', reason: 'service account token is not valid yet' } },
    {
      name: 'for others',
      token: { audiences: ['x', 'y'] },
      expect: {
        kind: 'refused',
        reason: `token audiences ["x" "y"] is invalid for the target audiences ["${API}"]`,
      },
    },
    {
      name: 'for others, who ask',
      token: { audiences: ['x', 'y'] },
      audiences: ['y', 'z'],
      expect: { audiences: ['y'] },
    },
    {
      name: 'account gone',
      change: objects => objects.remove('serviceaccounts', { namespace: 'ns', name: 'robot' }),
      expect: { kind: 'refused', reason: 'serviceaccounts "robot" not found' },
    },
    {
      name: 'account made anew',
      change: objects => objects.add('serviceaccounts', object('robot', 'ns', 'other')),
      expect: { kind: 'refused', reason: 'service account UID (other) does not match claim (sa-uid)' },
    },
    {
      name: 'pod gone',
      token: { pod: { name: 'p', uid: 'pod-uid' } },
      change: objects => objects.remove('pods', { namespace: 'ns', name: 'p' }),
      expect: { kind: 'refused', reason: 'service account token has been invalidated' },
    },
    {
      name: 'pod made anew',
      token: { pod: { name: 'p', uid: 'pod-uid' } },
      change: objects => objects.add('pods', object('p', 'ns', 'new')),
      expect: { kind: 'refused', reason: 'pod UID (new) does not match service account pod ref claim (pod-uid)' },
    },
    {
      name: 'node gone',
      token: { node: { name: 'n', uid: 'node-uid' } },
      change: objects => objects.remove('nodes', { namespace: '', name: 'n' }),
      expect: { kind: 'refused', reason: 'service account token has been invalidated' },
    },
  ];
  for (const c of cases) {
    const { objects, issuer, check } = setup();
    const token = (c.spoil ?? (x => x))(issuer.issue({ ...basic, ...c.token }));
    const audiences = c.audiences ?? issuer.apiAudiences;
    // The first look must not make the second one blind: signatures are remembered, objects and times are not.
    if (c.later === undefined) check(token, audiences);
    clock.step((c.later ?? 0) * 1000);
    c.change?.(objects);
    t.match(check(token, audiences), c.expect, c.name);
    clock.step(-(c.later ?? 0) * 1000);
  }
});

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

const RULES: PolicyRule[] = [
  { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log', '*/scale'] },
  { verbs: ['*'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'] },
  { verbs: ['get'], nonResourceURLs: ['/x', '/y/*'] },
];

t.test('policy rules', t => {
  const who = user('u');
  const matches: [boolean, Attributes][] = [
    [true, ask(who, 'get', 'pods', 'ns', 'p')],
    [true, ask(who, 'get', 'pods/log', 'ns', 'p')],
    [false, ask(who, 'get', 'pods/exec', 'ns', 'p')],
    [false, ask(who, 'watch', 'pods', 'ns')],
    [false, ask(who, 'get', 'apps:pods', 'ns')],
    [true, ask(who, 'get', 'replicationcontrollers/scale', 'ns')],
    [false, ask(who, 'get', 'apps:deployments/scale', 'ns', 'a')],
    [true, ask(who, 'delete', 'apps:deployments', 'ns', 'a')],
    [false, ask(who, 'list', 'apps:deployments', 'ns')],
    [false, ask(who, 'delete', 'apps:deployments', 'ns', 'b')],
    [true, ask(who, 'get', '/x')],
    [true, ask(who, 'get', '/y/z')],
    [false, ask(who, 'get', '/y')],
    [false, ask(who, 'post', '/x')],
    [false, ask(who, '*', 'pods', 'ns')],
  ];
  for (const [expected, attributes] of matches) {
    const text = `${attributes.verb} ${attributes.group} ${attributes.resource}/${attributes.subresource} ${attributes.path}`;
    t.equal(
      RULES.some(rule => ruleAllows(rule, attributes)),
      expected,
      text,
    );
  }
  const covers: [number, PolicyRule][] = [
    [0, { verbs: ['get'], apiGroups: [''], resources: ['pods', 'pods/log', 'x/scale'] }],
    [3, { verbs: ['get', 'watch'], apiGroups: ['', 'apps'], resources: ['pods'] }],
    [0, { verbs: ['*'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'] }],
    [1, { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'] }],
    [1, { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a', 'b'] }],
    [0, { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['p'] }],
    [1, { verbs: ['*'], apiGroups: [''], resources: ['pods'] }],
    [0, { verbs: ['get'], nonResourceURLs: ['/x', '/y/*', '/y/z/*'] }],
    [1, { verbs: ['get'], nonResourceURLs: ['*'] }],
  ];
  for (const [missing, rule] of covers) {
    const found = uncovered(RULES, [rule]);
    t.equal(found === 'too many' ? found : found.length, missing, `${JSON.stringify(rule)} lacks ${missing}`);
  }
  t.end();
});

const rbac = 'rbac.authorization.k8s.io';
const role = (name: string, rules: PolicyRule[], namespace?: string): { resource: string; object: KubeObject } => ({
  resource: namespace === undefined ? `clusterroles.${rbac}` : `roles.${rbac}`,
  object: { metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, rules },
});
const bind = (
  name: string,
  roleRef: { kind: string; name: string },
  subjects: { kind: string; name: string; namespace?: string }[],
  namespace?: string,
): { resource: string; object: KubeObject } => ({
  resource: namespace === undefined ? `clusterrolebindings.${rbac}` : `rolebindings.${rbac}`,
  object: { metadata: { name, ...(namespace === undefined ? {} : { namespace }) }, roleRef, subjects },
});
const group = (name: string) => ({ kind: 'Group', name });
const person = (name: string) => ({ kind: 'User', name });

t.test('RBAC', t => {
  const objects = objectsOf([
    role('reader', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], 'ns'),
    role('nodes', [{ verbs: ['get'], apiGroups: [''], resources: ['nodes'] }]),
    role('web', [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }]),
    bind('r', { kind: 'Role', name: 'reader' }, [person('jane'), group('dev')], 'ns'),
    bind('sa', { kind: 'Role', name: 'reader' }, [{ kind: 'ServiceAccount', name: 'robot' }], 'ns'),
    bind('n', { kind: 'ClusterRole', name: 'nodes' }, [group('dev')]),
    bind('local', { kind: 'ClusterRole', name: 'nodes' }, [person('jane')], 'ns'),
    bind('w', { kind: 'ClusterRole', name: 'web' }, [{ kind: 'ServiceAccount', name: 'prom', namespace: 'mon' }]),
    bind('broken', { kind: 'ClusterRole', name: 'gone' }, [person('lost')]),
    bind('broken2', { kind: 'Role', name: 'gone' }, [person('lost')], 'ns'),
  ]);
  const resolver = createRuleResolver(objects);
  const authorizer = unionAuthorizer([privilegedGroup, createRbacAuthorizer(resolver)]);
  const robot = user('system:serviceaccount:ns:robot');
  const prom = user('system:serviceaccount:mon:prom');
  const cases: [Attributes, string | null][] = [
    [ask(user('jane'), 'get', 'pods', 'ns', 'p'), 'RoleBinding "r/ns" of Role "reader" to User "jane"'],
    [ask(user('x', 'dev'), 'get', 'pods', 'ns', 'p'), 'RoleBinding "r/ns" of Role "reader" to Group "dev"'],
    [ask(robot, 'get', 'pods', 'ns'), 'RoleBinding "sa/ns" of Role "reader" to ServiceAccount "robot/ns"'],
    [ask(user('x', 'dev'), 'get', 'nodes', '', 'n'), 'ClusterRoleBinding "n" of ClusterRole "nodes" to Group "dev"'],
    [ask(prom, 'get', '/metrics'), 'ClusterRoleBinding "w" of ClusterRole "web" to ServiceAccount "prom/mon"'],
    [ask(user('jane'), 'get', 'pods', 'other', 'p'), null],
    [ask(user('jane'), 'get', 'pods'), null],
    [ask(user('jane'), 'get', 'nodes', '', 'n'), null],
    [ask(user('jane'), 'delete', 'pods', 'ns', 'p'), null],
    [ask(user('robot'), 'get', 'pods', 'ns'), null],
  ];
  for (const [attributes, by] of cases) {
    const expected =
      by === null ? { decision: 'noOpinion', reason: '' } : { decision: 'allow', reason: `RBAC: allowed by ${by}` };
    t.same(authorizer.authorize(attributes), expected, by ?? `${attributes.user.name} ${attributes.resource}`);
  }
  t.same(authorizer.authorize(ask(user('lost'), 'get', 'pods', 'ns')), {
    decision: 'noOpinion',
    reason:
      'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "gone" not found]',
  });
  t.same(authorizer.authorize(ask(user('root', 'system:masters'), 'fly', 'x:y')), { decision: 'allow', reason: '' });
  t.same(authorizer.rulesFor(user('jane'), 'ns'), {
    resourceRules: [
      { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['get'], apiGroups: [''], resources: ['nodes'] },
    ],
    nonResourceRules: [],
    incomplete: false,
    errors: [],
  });
  t.match(authorizer.rulesFor(user('lost'), 'ns'), { incomplete: false, errors: [/not found/] });
  objects.remove(`rolebindings.${rbac}`, { namespace: 'ns', name: 'r' });
  t.equal(authorizer.authorize(ask(user('jane'), 'get', 'pods', 'ns', 'p')).decision, 'noOpinion', 'at once');

  let generation = 1;
  let lists = 0;
  const counted: Lookup = {
    get: (resource, key) => objects.get(resource, key),
    list: (resource, namespace) => {
      lists++;
      return objects.list(resource, namespace);
    },
    generation: () => generation,
  };
  const cached = createRbacAuthorizer(createRuleResolver(counted));
  for (let i = 0; i < 5; i++) cached.authorize(ask(user('jane'), 'get', 'pods', 'ns', 'p'));
  t.equal(lists, 2, 'bindings are looked through once');
  objects.add(`rolebindings.${rbac}`, bind('r', { kind: 'Role', name: 'reader' }, [person('jane')], 'ns').object);
  generation++;
  t.equal(
    cached.authorize(ask(user('jane'), 'get', 'pods', 'ns', 'p')).decision,
    'allow',
    'and again when they change',
  );

  t.equal(alwaysAllow.authorize(ask(user('x'), 'get', 'pods')).decision, 'allow');
  t.same(alwaysDeny.authorize(ask(user('x'), 'get', 'pods')), {
    decision: 'noOpinion',
    reason: 'Everything is forbidden.',
  });
  t.end();
});

t.test('texts of 403', t => {
  const error = (a: Attributes, reason = ''): unknown => notAllowedError(a, reason).status;
  t.match(error(ask(user('jane'), 'get', 'pods/log', 'ns', 'p')), {
    code: 403,
    reason: 'Forbidden',
    message: 'pods "p" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "ns"',
    details: { name: 'p', kind: 'pods' },
  });
  t.match(error(ask(user('a<b'), 'list', 'apps:deployments'), 'why'), {
    message:
      'deployments.apps is forbidden: User "a&lt;b" cannot list resource "deployments" in API group "apps" at the cluster scope: why',
    details: { group: 'apps', kind: 'deployments' },
  });
  t.match(error(ask(user('jane'), 'get', '/metrics')), {
    message: 'forbidden: User "jane" cannot get path "/metrics"',
    details: {},
  });
  t.end();
});

t.test('impersonation', t => {
  const authorizer = unionAuthorizer([
    privilegedGroup,
    createRbacAuthorizer(
      createRuleResolver(
        objectsOf([
          role('imp', [
            { verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['jane'] },
            { verbs: ['impersonate'], apiGroups: ['authentication.k8s.io'], resources: ['userextras/scopes'] },
          ]),
          bind('imp', { kind: 'ClusterRole', name: 'imp' }, [person('helper')]),
        ]),
      ),
    ),
  ]);
  const root = user('root', 'system:masters');
  const helper = user('helper');
  const bad = (message: string): { code: number; message: string } => ({ code: 400, message });
  const no = (message: string): { code: number; message: string } => ({ code: 403, message });
  const cases: { name: string; who?: UserInfo; headers: string[]; expect: unknown }[] = [
    { name: 'none', headers: ['Accept', '*/*'], expect: undefined },
    { name: 'user', headers: ['Impersonate-User', 'jane'], expect: user('jane') },
    {
      name: 'groups as given, in any case of the header',
      headers: ['Impersonate-User', 'jane', 'impersonate-group', 'dev', 'Impersonate-Group', 'a,b'],
      expect: user('jane', 'dev', 'a,b'),
    },
    {
      name: 'a group that says who is unauthenticated',
      headers: ['Impersonate-User', 'jane', 'Impersonate-Group', 'system:unauthenticated'],
      expect: { name: 'jane', groups: ['system:unauthenticated'] },
    },
    {
      name: 'anonymous',
      headers: ['Impersonate-User', 'system:anonymous'],
      expect: { name: 'system:anonymous', groups: ['system:unauthenticated'] },
    },
    {
      name: 'service account brings its groups',
      headers: ['Impersonate-User', 'system:serviceaccount:ns:robot'],
      expect: user('system:serviceaccount:ns:robot', 'system:serviceaccounts', 'system:serviceaccounts:ns'),
    },
    {
      name: 'service account with groups given',
      headers: ['Impersonate-User', 'system:serviceaccount:ns:robot', 'Impersonate-Group', 'x'],
      expect: user('system:serviceaccount:ns:robot', 'x'),
    },
    {
      name: 'uid and extra',
      headers: ['Impersonate-User', 'jane', 'Impersonate-Uid', 'u1', 'Impersonate-Extra-Acme.com%2FProject', 'p'],
      expect: { ...user('jane'), uid: 'u1', extra: { 'acme.com/project': ['p'] } },
    },
    {
      name: 'group without user',
      headers: ['Impersonate-Group', 'dev'],
      expect: bad('requested [{Group  dev    }] without impersonating a user'),
    },
    {
      name: 'uid without user',
      headers: ['Impersonate-Uid', 'u'],
      expect: bad('requested [{UID  u  authentication.k8s.io/v1  }] without impersonating a user'),
    },
    { name: 'allowed by RBAC', who: helper, headers: ['Impersonate-User', 'jane'], expect: user('jane') },
    {
      name: 'extra allowed by RBAC',
      who: helper,
      headers: ['Impersonate-User', 'jane', 'Impersonate-Extra-Scopes', 'view'],
      expect: { ...user('jane'), extra: { scopes: ['view'] } },
    },
    {
      name: 'user not allowed',
      who: helper,
      headers: ['Impersonate-User', 'bob'],
      expect: no(
        'users "bob" is forbidden: User "helper" cannot impersonate resource "users" in API group "" at the cluster scope',
      ),
    },
    {
      name: 'group not allowed',
      who: helper,
      headers: ['Impersonate-User', 'jane', 'Impersonate-Group', 'system:masters'],
      expect: no(
        'groups "system:masters" is forbidden: User "helper" cannot impersonate resource "groups" in API group "" at the cluster scope',
      ),
    },
    {
      name: 'service account not allowed',
      who: helper,
      headers: ['Impersonate-User', 'system:serviceaccount:ns:robot'],
      expect: no(
        'serviceaccounts "robot" is forbidden: User "helper" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "ns"',
      ),
    },
    {
      name: 'extra not allowed',
      who: helper,
      headers: ['Impersonate-User', 'jane', 'Impersonate-Extra-Other', 'v'],
      expect: no(
        'userextras.authentication.k8s.io "v" is forbidden: User "helper" cannot impersonate resource "userextras/other" in API group "authentication.k8s.io" at the cluster scope',
      ),
    },
  ];
  for (const c of cases) {
    const run = (): unknown => impersonate(authorizer, { rawHeaders: c.headers }, c.who ?? root);
    const error = c.expect as { code?: number } | undefined;
    if (error?.code !== undefined) t.throws(run, c.expect as { code: number; message: string }, c.name);
    else t.same(run(), c.expect, c.name);
  }
  t.same(splitServiceAccountUser('system:serviceaccount:ns:a.b'), { namespace: 'ns', name: 'a.b' });
  for (const name of ['system:serviceaccount:ns', 'system:serviceaccount:ns:a:b', 'system:serviceaccount:N:a', 'x'])
    t.equal(splitServiceAccountUser(name), undefined, name);
  t.end();
});

t.test('nobody grants what they do not hold', t => {
  const objects = objectsOf([
    role(
      'writer',
      [
        { verbs: ['create', 'update'], apiGroups: [rbac], resources: ['roles', 'rolebindings'] },
        { verbs: ['get'], apiGroups: [''], resources: ['configmaps'] },
      ],
      'ns',
    ),
    bind('writer', { kind: 'Role', name: 'writer' }, [person('weak'), person('binder'), person('escalator')], 'ns'),
    role('strong', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]),
    role('small', [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }]),
    role(
      'more',
      [{ verbs: ['bind'], apiGroups: [rbac], resources: ['clusterroles'], resourceNames: ['strong'] }],
      'ns',
    ),
    role('escalate', [{ verbs: ['escalate'], apiGroups: [rbac], resources: ['roles'] }], 'ns'),
    bind('binder', { kind: 'Role', name: 'more' }, [person('binder')], 'ns'),
    bind('escalator', { kind: 'Role', name: 'escalate' }, [person('escalator')], 'ns'),
  ]);
  const resolver = createRuleResolver(objects);
  const authorizer = unionAuthorizer([privilegedGroup, createRbacAuthorizer(resolver)]);
  const check = rbacEscalationCheck(authorizer, resolver);
  const run = (who: UserInfo, plural: string, object: KubeObject, old?: KubeObject): void => {
    const request: AdmissionRequest = {
      operation: old === undefined ? 'CREATE' : 'UPDATE',
      resource: { group: rbac, plural } as ResourceInfo,
      subresource: '',
      key: { namespace: plural.startsWith('cluster') ? '' : 'ns', name: object.metadata.name ?? '' },
      object,
      ...(old === undefined ? {} : { old }),
    };
    check.admit?.({ user: who } as RequestContext, request);
  };
  const secrets: KubeObject = {
    metadata: { name: 'esc' },
    rules: [{ apiGroups: [''], resources: ['secrets', 'pods'], verbs: ['get', 'list'] }],
  };
  const to = (kind: string, name: string): KubeObject => ({
    metadata: { name: 'b' },
    roleRef: { kind, name },
    subjects: [],
  });
  const groups = '(groups=["system:authenticated"])';
  const cases: {
    name: string;
    who?: UserInfo;
    plural?: string;
    object: KubeObject;
    old?: KubeObject;
    error?: string;
  }[] = [
    {
      name: 'role',
      object: secrets,
      error:
        `roles.${rbac} "esc" is forbidden: user "weak" ${groups} is attempting to grant RBAC permissions not currently held:\n` +
        '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
    },
    { name: 'role within its rights', object: { metadata: { name: 'ok' }, rules: RULES.slice(0, 0) } },
    { name: 'held', object: role('x', [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }]).object },
    { name: 'escalate', who: user('escalator'), object: secrets },
    { name: 'system:masters', who: user('root', 'system:masters'), object: secrets },
    {
      name: 'owner references of a strong role',
      object: { ...secrets, metadata: { name: 'esc', finalizers: [] } },
      old: { ...secrets, metadata: { name: 'esc', finalizers: ['x'] } },
    },
    {
      name: 'label of a strong role',
      object: { ...secrets, metadata: { name: 'esc', labels: { a: 'b' } } },
      old: secrets,
      error: `roles.${rbac} "esc" is forbidden: user "weak"`,
    },
    {
      name: 'aggregation',
      plural: 'clusterroles',
      object: { metadata: { name: 'agg' }, aggregationRule: { clusterRoleSelectors: [{}] } },
      error: `clusterroles.${rbac} "agg" is forbidden: must have cluster-admin privileges to use the aggregationRule`,
    },
    {
      name: 'binding to a strong role',
      plural: 'rolebindings',
      object: to('ClusterRole', 'strong'),
      error:
        `rolebindings.${rbac} "b" is forbidden: user "weak" ${groups} is attempting to grant RBAC permissions not currently held:\n` +
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}',
    },
    { name: 'binding to a small role', plural: 'rolebindings', object: to('ClusterRole', 'small') },
    { name: 'bind', who: user('binder'), plural: 'rolebindings', object: to('ClusterRole', 'strong') },
    {
      name: 'binding to nothing',
      plural: 'rolebindings',
      object: to('Role', 'none'),
      error: `roles.${rbac} "none" not found`,
    },
    { name: 'binding that validation refuses', plural: 'rolebindings', object: to('', '') },
  ];
  for (const c of cases) {
    const act = (): void => run(c.who ?? user('weak'), c.plural ?? 'roles', c.object, c.old);
    if (c.error === undefined) t.doesNotThrow(act, c.name);
    else {
      let message = '';
      try {
        act();
      } catch (error) {
        message = error instanceof StatusError ? error.message : `not a StatusError: ${String(error)}`;
      }
      t.equal(message.slice(0, c.error.length), c.error, c.name);
    }
  }
  t.end();
});

t.test('Node authorizer', t => {
  const pod = (name: string, nodeName: string, spec: object, mirror = false): KubeObject => ({
    metadata: { name, namespace: 'ns', ...(mirror ? { annotations: { 'kubernetes.io/config.mirror': 'x' } } : {}) },
    spec: { nodeName, serviceAccountName: 'default', ...spec },
    status: { resourceClaimStatuses: [{ name: 't', resourceClaimName: 'made' }] },
  });
  const objects = objectsOf([
    {
      resource: 'pods',
      object: pod('a', 'n1', {
        imagePullSecrets: [{ name: 'pull' }],
        resourceClaims: [
          { name: 'g', resourceClaimName: 'gpu' },
          { name: 't', resourceClaimTemplateName: 'x' },
        ],
        volumes: [
          { name: 'v', secret: { secretName: 'vol' } },
          { name: 'p', projected: { sources: [{ configMap: { name: 'root-ca' } }, { secret: { name: 'proj' } }] } },
          { name: 'd', persistentVolumeClaim: { claimName: 'claim' } },
          { name: 'eph', ephemeral: {} },
        ],
        containers: [
          { envFrom: [{ configMapRef: { name: 'env' } }], env: [{ valueFrom: { secretKeyRef: { name: 'key' } } }] },
        ],
      }),
    },
    { resource: 'pods', object: pod('b', 'n2', { volumes: [{ name: 'v', secret: { secretName: 'other' } }] }) },
    { resource: 'pods', object: pod('m', 'n1', { volumes: [{ name: 'v', secret: { secretName: 'mirror' } }] }, true) },
    {
      resource: 'persistentvolumes',
      object: {
        metadata: { name: 'pv' },
        spec: {
          claimRef: { namespace: 'ns', name: 'claim' },
          csi: { nodeStageSecretRef: { name: 'mount' }, controllerPublishSecretRef: { name: 'attach' } },
        },
      },
    },
    { resource: 'resourceslices.resource.k8s.io', object: { metadata: { name: 'mine' }, spec: { nodeName: 'n1' } } },
    { resource: 'resourceslices.resource.k8s.io', object: { metadata: { name: 'theirs' }, spec: { nodeName: 'n2' } } },
    { resource: 'volumeattachments.storage.k8s.io', object: { metadata: { name: 'va' }, spec: { nodeName: 'n1' } } },
  ]);
  const authorizer = createNodeAuthorizer(objects, NODE_RULES);
  const n1 = user('system:node:n1', 'system:nodes');
  const unrelated = "no relationship found between node 'n1' and this object";
  const all = (verb: string, what: string, names: string[]): [Attributes, true][] =>
    names.map(name => [ask(n1, verb, what, 'ns', name), true]);
  const cases: [Attributes, true | string][] = [
    ...all('get', 'secrets', ['pull', 'vol', 'proj', 'key']),
    ...all('watch', 'configmaps', ['root-ca', 'env']),
    ...all('get', 'persistentvolumeclaims', ['claim', 'a-eph']),
    [ask(n1, 'get', 'persistentvolumes', '', 'pv'), true],
    [ask(n1, 'get', 'storage.k8s.io:volumeattachments', '', 'va'), true],
    [ask(n1, 'update', 'persistentvolumeclaims/status', 'ns', 'claim'), true],
    [ask(n1, 'create', 'serviceaccounts/token', 'ns', 'default'), true],
    [ask(n1, 'create', 'serviceaccounts/token', 'ns', 'other'), unrelated],
    [ask(n1, 'get', 'serviceaccounts', 'ns', 'default'), true],
    [ask(n1, 'list', 'serviceaccounts', 'ns'), 'can only create tokens for individual service accounts'],
    [ask(n1, 'get', 'secrets', 'ns', 'mount'), true],
    [ask(n1, 'get', 'secrets', 'ns', 'attach'), unrelated],
    [ask(n1, 'get', 'resource.k8s.io:resourceclaims', 'ns', 'gpu'), true],
    [ask(n1, 'get', 'resource.k8s.io:resourceclaims', 'ns', 'made'), true],
    [ask(n1, 'list', 'resource.k8s.io:resourceclaims', 'ns'), 'can only get individual resources of this type'],
    [ask(n1, 'create', 'resource.k8s.io:resourceslices'), true],
    [ask(n1, 'delete', 'resource.k8s.io:resourceslices', '', 'mine'), true],
    [ask(n1, 'delete', 'resource.k8s.io:resourceslices', '', 'theirs'), unrelated],
    [
      ask(n1, 'list', 'resource.k8s.io:resourceslices'),
      'can only list/watch/deletecollection resourceslices with nodeName field selector',
    ],
    [ask(n1, 'get', 'secrets', 'ns', 'other'), unrelated],
    [ask(n1, 'get', 'secrets', 'ns', 'mirror'), unrelated],
    [ask(n1, 'get', 'secrets', 'else', 'vol'), unrelated],
    [ask(n1, 'list', 'secrets', 'ns'), 'No Object name found'],
    [ask(n1, 'list', 'secrets'), 'can only read namespaced object of this type'],
    [ask(n1, 'delete', 'secrets', 'ns', 'vol'), 'can only read resources of this type'],
    [ask(n1, 'get', 'nodes', '', 'n1'), true],
    [ask(n1, 'get', 'nodes', '', 'n2'), "node 'n1' cannot read 'n2', only its own Node object"],
    [ask(n1, 'list', 'nodes'), "node 'n1' cannot read all nodes, only its own Node object"],
    [ask(n1, 'patch', 'nodes/status', '', 'n1'), true],
    [ask(n1, 'delete', 'nodes', '', 'n1'), ''],
    [ask(n1, 'get', 'pods', 'ns', 'a'), true],
    [ask(n1, 'get', 'pods', 'ns', 'b'), unrelated],
    [ask(n1, 'list', 'pods'), 'can only list/watch pods with spec.nodeName field selector'],
    [{ ...ask(n1, 'watch', 'pods'), fields: [{ field: 'spec.nodeName', operator: '=', value: 'n1' }] }, true],
    [
      { ...ask(n1, 'watch', 'pods'), fields: [{ field: 'spec.nodeName', operator: '=', value: 'n2' }] },
      'can only list/watch pods with spec.nodeName field selector',
    ],
    [ask(n1, 'patch', 'pods/status', 'ns', 'a'), true],
    [ask(n1, 'create', 'pods/eviction', 'ns', 'a'), true],
    [ask(n1, 'create', 'pods/exec', 'ns', 'a'), ''],
    [ask(n1, 'update', 'coordination.k8s.io:leases', 'kube-node-lease', 'n1'), true],
    [
      ask(n1, 'update', 'coordination.k8s.io:leases', 'kube-node-lease', 'n2'),
      'can only access node lease with the same name as the requesting node',
    ],
    [
      ask(n1, 'get', 'coordination.k8s.io:leases', 'ns', 'n1'),
      'can only access leases in the "kube-node-lease" system namespace',
    ],
    [ask(n1, 'watch', 'services'), true],
    [ask(n1, 'create', 'events', 'ns'), true],
    [ask(n1, 'create', 'services', 'ns'), ''],
    [ask(user('system:node:n1'), 'get', 'nodes', '', 'n1'), ''],
    [ask(user('system:node:', 'system:nodes'), 'get', 'nodes', '', 'n1'), 'unknown node for user "system:node:"'],
  ];
  for (const [a, expected] of cases) {
    t.same(
      authorizer.authorize(a),
      expected === true ? { decision: 'allow', reason: '' } : { decision: 'noOpinion', reason: expected },
      `${a.user.name} ${a.verb} ${a.resource}/${a.subresource} ${a.namespace}/${a.name}`,
    );
  }
  t.match(authorizer.rulesFor(n1, 'ns'), {
    incomplete: true,
    errors: ['node authorizer does not support user rule resolution'],
  });
  t.end();
});

t.test('the default policy', t => {
  const ids = bootstrapPolicy.map(({ resource, object }) =>
    [resource, object.metadata.namespace ?? '', object.metadata.name].join(' '),
  );
  t.equal(new Set(ids).size, ids.length, 'every name once');
  for (const { object } of bootstrapPolicy) {
    const rules = (object['rules'] as PolicyRule[] | null | undefined) ?? [];
    for (const rule of rules) {
      const resources = (rule.resources ?? []).length;
      const ok =
        rule.verbs.length > 0 &&
        resources > 0 === (rule.apiGroups ?? []).length > 0 &&
        resources > 0 !== (rule.nonResourceURLs ?? []).length > 0;
      if (!ok) t.fail(`${object.metadata.name ?? ''}: ${JSON.stringify(rule)}`);
    }
  }
  const objects = objectsOf(bootstrapPolicy);
  // What the aggregation controller does.
  const gather = (label: string): PolicyRule[] =>
    bootstrapPolicy.flatMap(({ object }) =>
      object.metadata.labels?.[`${rbac}/aggregate-to-${label}`] === 'true'
        ? ((objects.get(`clusterroles.${rbac}`, { namespace: '', name: object.metadata.name ?? '' })?.['rules'] as
            PolicyRule[] | null) ?? [])
        : [],
    );
  for (const name of ['view', 'edit', 'admin']) objects.add(`clusterroles.${rbac}`, role(name, gather(name)).object);
  for (const name of ['view', 'edit', 'admin'])
    objects.add(`rolebindings.${rbac}`, bind(name, { kind: 'ClusterRole', name }, [person(name)], 'ns').object);
  const authorizer = unionAuthorizer([privilegedGroup, createRbacAuthorizer(createRuleResolver(objects))]);
  const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
  const account = user('system:serviceaccount:ns:a', 'system:serviceaccounts');
  const controllers = user('system:kube-controller-manager');
  const node = user('system:node:n1', 'system:nodes', NODE_AGENTS);
  const cases: [boolean, Attributes][] = [
    [true, ask(anonymous, 'get', '/version')],
    [true, ask(anonymous, 'get', '/readyz')],
    [false, ask(anonymous, 'get', '/api')],
    [false, ask(anonymous, 'get', '/metrics')],
    [true, ask(account, 'get', '/apis/apps/v1')],
    [true, ask(account, 'get', '/openapi/v3')],
    [true, ask(account, 'get', '/openid/v1/jwks')],
    [false, ask(user('x'), 'get', '/openid/v1/jwks')],
    [true, ask(account, 'create', 'authorization.k8s.io:selfsubjectaccessreviews')],
    [true, ask(account, 'create', 'authentication.k8s.io:selfsubjectreviews')],
    [false, ask(account, 'list', 'pods', 'ns')],
    [true, ask(user('view'), 'list', 'pods', 'ns')],
    [false, ask(user('view'), 'get', 'secrets', 'ns', 's')],
    [false, ask(user('view'), 'create', 'pods', 'ns')],
    [true, ask(user('edit'), 'create', 'apps:deployments', 'ns')],
    [true, ask(user('edit'), 'get', 'secrets', 'ns', 's')],
    [false, ask(user('edit'), 'create', `${rbac}:roles`, 'ns')],
    [true, ask(user('admin'), 'create', `${rbac}:roles`, 'ns')],
    [true, ask(user('admin'), 'create', 'pods/exec', 'ns', 'p')],
    [false, ask(user('admin'), 'update', 'resourcequotas', 'ns', 'q')],
    [false, ask(user('admin'), 'list', 'pods')],
    [true, ask(controllers, 'create', 'pods', 'ns')],
    [true, ask(controllers, 'create', 'pods/binding', 'ns', 'p')],
    [true, ask(controllers, 'update', 'apps:deployments/status', 'ns', 'd')],
    [true, ask(controllers, 'update', 'coordination.k8s.io:leases', 'kube-system', 'kube-controller-manager')],
    [true, ask(controllers, 'watch', 'discovery.k8s.io:endpointslices')],
    [false, ask(controllers, 'create', 'apps:deployments', 'ns')],
    [true, ask(user('system:kube-scheduler'), 'create', 'pods/binding', 'ns', 'p')],
    [true, ask(user('system:kube-proxy'), 'watch', 'discovery.k8s.io:endpointslices')],
    [true, ask(node, 'watch', 'discovery.k8s.io:endpointslices')],
    [false, ask(user('system:node:n1', 'system:nodes'), 'watch', 'discovery.k8s.io:endpointslices')],
    [true, ask(user('system:coredns'), 'watch', 'services')],
    [false, ask(user('system:coredns'), 'list', 'secrets')],
    [
      true,
      ask(user('system:serviceaccount:kube-system:deployment-controller'), 'update', 'apps:deployments', 'ns', 'd'),
    ],
  ];
  for (const [expected, a] of cases) {
    t.equal(
      authorizer.authorize(a).decision === 'allow',
      expected,
      `${a.user.name} ${a.verb} ${a.group} ${a.resource}/${a.subresource} ${a.path}`,
    );
  }
  t.end();
});

t.test('a data folder that is a file', async t => {
  const dir = t.testdir();
  await mkdir(join(dir, 'x'));
  await writeFile(join(dir, 'x', 'pki'), '');
  await t.rejects(ensurePki(join(dir, 'x'), { clock: realClock }));
});

t.test('default policy is given back what was taken from it', async t => {
  const stored = new Map<string, KubeObject>();
  const calls: string[] = [];
  const objects = {
    get: (_resource: string, key: ObjectKey) => stored.get(key.name),
    update: async (_ctx: unknown, _resource: string, key: ObjectKey, change: (object: KubeObject) => void) => {
      calls.push(`update ${key.name}`);
      const object = structuredClone(stored.get(key.name) as KubeObject);
      change(object);
      stored.set(key.name, object);
    },
    delete: async (_ctx: unknown, _resource: string, key: ObjectKey) => void calls.push(`delete ${key.name}`),
    create: async (_ctx: unknown, _resource: string, object: KubeObject) =>
      void calls.push(`create ${object.metadata.name}`),
  } as unknown as Objects;
  const read = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] };
  const wanted = role('r', [read]);
  const wantedBinding = bind('b', { kind: 'ClusterRole', name: 'r' }, [person('a'), person('b')]);
  const run = async (which: typeof wanted, object: KubeObject): Promise<KubeObject> => {
    stored.set(object.metadata.name ?? '', object);
    calls.length = 0;
    await reconcilePolicy(objects, {} as RequestContext, which);
    return stored.get(object.metadata.name ?? '') as KubeObject;
  };
  const own = { apiGroups: ['x'], resources: ['y'], verbs: ['z'] };
  const less = { ...wanted.object, rules: [own, { ...read, verbs: ['get'] }] };
  t.same((await run(wanted, less))['rules'], [own, { ...read, verbs: ['get'] }, { ...read, verbs: ['list'] }]);
  await run(wanted, { ...wanted.object, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] });
  t.same(calls, [], 'more is left alone');
  const off = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
  await run(wanted, { ...less, metadata: { ...less.metadata, annotations: off } });
  t.same(calls, [], 'whoever says so is left alone');
  const binding = await run(wantedBinding, { ...wantedBinding.object, subjects: [person('b'), person('c')] });
  t.same(
    (binding['subjects'] as { name: string }[]).map(({ name }) => name),
    ['b', 'c', 'a'],
  );
  await run(wantedBinding, { ...wantedBinding.object, roleRef: { kind: 'ClusterRole', name: 'other' } });
  t.same(calls, ['delete b', 'create b']);
});
