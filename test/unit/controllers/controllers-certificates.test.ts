import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import t from 'tap';
import { CERTIFICATE_SIGNING_REQUESTS } from '../../../src/client/resources.js';
import {
  requestApprovingController,
  requestCleanerController,
  requestSigningController,
  validity,
} from '../../../src/controllers/certificates/controllers.js';
import { expiryOf } from '../../../src/controllers/certificates/expiry.js';
import type { SigningRequest } from '../../../src/controllers/certificates/request.js';
import type { ControllerDefinition } from '../../../src/controllers/controller.js';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import { parseCertificateRequest } from '../../../src/machinery/x509/certificate-request.js';
import { keyUsages } from '../../../src/machinery/x509/key-usages.js';
import { signRequest } from '../../../src/machinery/x509/sign-request.js';
import { makeRequest, type RequestedNames } from '../../support/certificate-request.js';
import { createFakeCluster, type FakeCluster } from '../../support/fake-cluster.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const ca = issueCertificate({
  subject: { commonName: 'ca' },
  notBefore: NOW - HOUR,
  notAfter: NOW + 100 * DAY,
  usage: 'ca',
});
const signing = { ...ca, durationMs: 10 * DAY };

function csr(
  name: string,
  names: RequestedNames,
  spec: Partial<SigningRequest['spec']>,
  conditions: string[] = [],
): SigningRequest {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name, uid: `uid-${name}` },
    spec: {
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      request: Buffer.from(makeRequest(names).request).toString('base64'),
      ...spec,
    },
    status: { conditions: conditions.map(type => ({ type, status: 'True' })) },
  };
}

async function run(cluster: FakeCluster, definition: ControllerDefinition): Promise<void> {
  const reconciler = definition.build(cluster.context({ signing }));
  for (const key of cluster.queued) await reconciler.reconcile(key);
}

const statusOf = (cluster: FakeCluster, key: string): SigningRequest['status'] =>
  (cluster.get(CERTIFICATE_SIGNING_REQUESTS, key) as SigningRequest | undefined)?.status;

const SERVING = {
  signerName: 'kubernetes.io/kubelet-serving',
  usages: ['digital signature', 'key encipherment', 'server auth'],
};
const NODE: RequestedNames = { commonName: 'system:node:n', organizations: ['system:nodes'] };

t.test('approved requests are signed', async t => {
  const cases: [string, SigningRequest, string][] = [
    ['client', csr('a', { commonName: 'zoe', organizations: ['devs'] }, {}, ['Approved']), 'O=devs\nCN=zoe'],
    [
      'serving',
      csr('b', { ...NODE, dnsNames: ['n'], ips: ['10.0.0.1'] }, SERVING, ['Approved']),
      'O=system:nodes\nCN=system:node:n',
    ],
    ['not yet approved', csr('c', { commonName: 'zoe' }, {}), 'nothing'],
    ['denied', csr('d', { commonName: 'zoe' }, {}, ['Approved', 'Denied']), 'nothing'],
    ["somebody else's signer", csr('e', { commonName: 'zoe' }, { signerName: 'x.y/z' }, ['Approved']), 'nothing'],
    [
      'a usage too many',
      csr('f', { commonName: 'zoe' }, { usages: ['client auth', 'server auth'] }, ['Approved']),
      'invalid usage for client certificate: server auth',
    ],
    ['no name to serve', csr('g', NODE, SERVING, ['Approved']), 'DNS or IP subjectAltName is required'],
    [
      'no node',
      csr('h', { commonName: 'zoe', organizations: ['system:nodes'], dnsNames: ['n'] }, SERVING, ['Approved']),
      'subject common name does not begin with system:node:',
    ],
    [
      'usages of a client',
      csr('i', { ...NODE, dnsNames: ['n'] }, { ...SERVING, usages: ['client auth'] }, ['Approved']),
      'usages did not match [digital signature key encipherment server auth]',
    ],
  ];
  for (const [name, request, expected] of cases) {
    const cluster = createFakeCluster();
    cluster.load(CERTIFICATE_SIGNING_REQUESTS, request);
    await run(cluster, requestSigningController);
    const { certificate, conditions = [] } = statusOf(cluster, request.metadata.name ?? '') ?? {};
    const failure = conditions.find(({ type }) => type === 'Failed');
    if (certificate === undefined) {
      t.equal(failure?.message ?? 'nothing', expected, name);
      continue;
    }
    const signed = new X509Certificate(Buffer.from(certificate, 'base64'));
    t.equal(signed.subject, expected, name);
    t.ok(signed.verify(new X509Certificate(ca.cert).publicKey), `${name}: by the CA`);
  }
});

t.test('what a signed certificate says', t => {
  const { request, key } = makeRequest({ ...NODE, dnsNames: ['a.b'], ips: ['10.0.0.1'] });
  const times = { notBefore: NOW, notAfter: NOW + DAY };
  const usages = ['server auth', 'digital signature', 'decipher only'];
  const signed = new X509Certificate(signRequest(parseCertificateRequest(request), { ca, usages, ...times }));
  t.equal(signed.subjectAltName, 'DNS:a.b, IP Address:10.0.0.1');
  t.same(signed.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  t.equal(signed.ca, false);
  t.ok(signed.checkPrivateKey(createPrivateKey(key)));
  t.ok(signed.checkIssued(new X509Certificate(ca.cert)));
  t.equal(Date.parse(signed.validTo), NOW + DAY);
  t.throws(
    () => signRequest(parseCertificateRequest(request), { ca, usages: ['x', 'client auth'], ...times }),
    /unrecognized usage values: \["x"\]/,
  );
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' });
  const other = { cert: ca.cert, key: rsa.toString() };
  const byRsa = new X509Certificate(signRequest(parseCertificateRequest(request), { ca: other, usages, ...times }));
  t.notOk(byRsa.verify(new X509Certificate(ca.cert).publicKey), 'an RSA key signs, too; here it is not the CA');
  t.same(keyUsages(['crl sign', 'signing']).bits, { bytes: Buffer.of(0b1000_0010), unused: 1 });
  t.same(keyUsages(['client auth']).bits, undefined);
  t.end();
});

t.test('how long', t => {
  const of = (seconds: number | undefined, caEnd = NOW + 100 * DAY): number[] => {
    const { notBefore, notAfter } = validity(NOW, 10 * DAY, seconds, caEnd);
    return [(notBefore - NOW) / 60_000, (notAfter - NOW) / 60_000];
  };
  t.same(of(undefined), [-5, 10 * 24 * 60 - 5], 'as the CA gives');
  t.same(of(7200), [-5, 120], 'a short time is given whole');
  t.same(of(60), [-5, 10], 'not too short');
  t.same(of(10 ** 8), [-5, 10 * 24 * 60 - 5], 'not longer than the CA gives');
  t.same(of(undefined, NOW + DAY), [-5, 24 * 60], 'not longer than the CA lives');
  t.throws(() => of(undefined, NOW), /refusing to sign/);
  t.end();
});

t.test('kubelets are approved', async t => {
  const kubelet = {
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'client auth'],
  };
  const cases: [string, SigningRequest, string | undefined][] = [
    [
      'for themselves',
      csr('a', NODE, { ...kubelet, username: NODE.commonName }),
      'Auto approving self kubelet client certificate after SubjectAccessReview.',
    ],
    [
      'for any node',
      csr('b', NODE, { ...kubelet, username: 'boot' }),
      'Auto approving kubelet client certificate after SubjectAccessReview.',
    ],
    ['nobody else', csr('c', { commonName: 'zoe' }, kubelet), undefined],
    ['not for clients', csr('d', NODE, { username: NODE.commonName }), undefined],
  ];
  for (const [name, request, expected] of cases) {
    const cluster = createFakeCluster();
    cluster.load(CERTIFICATE_SIGNING_REQUESTS, request);
    const context = cluster.context({ signing });
    // Everything is allowed.
    const client: typeof context.client = {
      ...context.client,
      resource: ref => {
        const resource = context.client.resource(ref);
        const allow = async (_namespace: string, object: object) => ({ ...object, status: { allowed: true } });
        return ref.resource === 'subjectaccessreviews'
          ? ({ ...resource, create: allow } as never)
          : (resource as never);
      },
    };
    const reconciler = requestApprovingController.build({ ...context, client });
    for (const key of cluster.queued) await reconciler.reconcile(key);
    const [action] = cluster.actions.filter(({ subresource }) => subresource === 'approval');
    const written = (action?.body as SigningRequest | undefined)?.status?.conditions ?? [];
    const approved = written.find(({ type }) => type === 'Approved');
    t.equal(approved?.message, expected, name);
  }
});

t.test('old requests go', async t => {
  const at = (ms: number): string => new Date(NOW - ms).toISOString();
  const request = (createdAgo: number, type?: string, ago = 0, certificate?: string): SigningRequest => ({
    ...csr('a', { commonName: 'zoe' }, {}),
    metadata: { name: 'a', creationTimestamp: at(createdAgo) },
    status: {
      ...(type === undefined ? {} : { conditions: [{ type, status: 'True', lastUpdateTime: at(ago) }] }),
      ...(certificate === undefined ? {} : { certificate }),
    },
  });
  const ended = Buffer.from(
    issueCertificate({ subject: { commonName: 'x' }, notBefore: NOW - DAY, notAfter: NOW - HOUR, usage: 'client' })
      .cert,
  ).toString('base64');
  const cases: [string, SigningRequest, string | undefined][] = [
    ['young', request(HOUR), undefined],
    ['never decided', request(25 * HOUR), 'never decided'],
    ['denied just now', request(DAY, 'Denied', HOUR / 2), undefined],
    ['denied', request(DAY, 'Denied', 2 * HOUR), 'denied long ago'],
    ['failed', request(DAY, 'Failed', 2 * HOUR), 'failed long ago'],
    ['issued', request(DAY, 'Approved', 2 * HOUR, 'eA=='), 'issued long ago'],
    ['approved, waiting', request(DAY, 'Approved', 2 * HOUR), undefined],
    ['approved, in vain', request(3 * DAY, 'Approved', 25 * HOUR), 'approved and never issued'],
    ['its certificate has ended', request(HOUR, 'Approved', HOUR / 2, ended), 'its certificate has expired'],
  ];
  for (const [name, object, expected] of cases) t.equal(expiryOf(object, NOW), expected, name);
  const cluster = createFakeCluster();
  cluster.load(CERTIFICATE_SIGNING_REQUESTS, request(25 * HOUR));
  const reconciler = requestCleanerController.build(cluster.context());
  await reconciler.reconcile('a');
  t.equal(cluster.list(CERTIFICATE_SIGNING_REQUESTS).length, 0);
});
