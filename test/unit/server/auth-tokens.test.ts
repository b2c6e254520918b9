import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { NONE } from '../../../src/server/auth/authn/authenticator.js';
import { legacyTokenAuthenticator } from '../../../src/server/auth/authn/legacy-token.js';
import { serviceAccountTokenAuthenticator } from '../../../src/server/auth/authn/service-account-token.js';
import { ensurePki } from '../../../src/cluster/keys/pki.js';
import { createTokenIssuer, oidcDocuments, type IssueOptions } from '../../../src/server/auth/token/issuer.js';
import { isSignedByOneOf, LEGACY_ISSUER, parseJwt, signingKey, signJwt } from '../../../src/machinery/jwt.js';
import { objectsOf } from '../../support/auth.js';

t.jobs = 1;

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
