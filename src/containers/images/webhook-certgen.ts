import type { Process, Program } from '../process.js';
import { issueCertificate } from '../../machinery/x509/certificate.js';
import { parseFlags, type Flags } from './agnhost/command.js';
import { callApi, type ApiAnswer } from './in-cluster-client.js';
import type { KnownImage } from './types.js';

/** ingress-nginx's certgen makes certificates for a hundred years. */
const HUNDRED_YEARS_MS = 100 * 365 * 24 * 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function expect(answer: ApiAnswer, ...statuses: readonly number[]): unknown {
  const body: unknown = JSON.parse(answer.body);
  if (!statuses.includes(answer.status)) throw new Error((body as { message?: string }).message ?? answer.body);
  return body;
}

const segment = encodeURIComponent;
const secretPath = (flags: Flags): string =>
  `/api/v1/namespaces/${segment(flags.text('namespace', 'default'))}/secrets`;

/** A CA and a server certificate for --host in a Secret, unless it is there already. */
async function create(process: Process, flags: Flags): Promise<number> {
  const name = flags.text('secret-name', '');
  const path = secretPath(flags);
  const found = await callApi(process, { path: `${path}/${segment(name)}` });
  if (found.status === 200) return 0;
  expect(found, 404);
  const now = process.container.clock.now();
  const validity = { notBefore: now - DAY_MS, notAfter: now + HUNDRED_YEARS_MS };
  const ca = issueCertificate({ ...validity, subject: { commonName: 'nil1', organizations: ['nil1'] }, usage: 'ca' });
  const server = issueCertificate({
    ...validity,
    subject: { commonName: 'nil2', organizations: ['nil2'] },
    issuer: ca,
    usage: 'server',
    subjectAltNames: flags.text('host', '').split(','),
  });
  const data = {
    ca: base64(ca.cert),
    [flags.text('cert-name', 'cert')]: base64(server.cert),
    [flags.text('key-name', 'key')]: base64(server.key),
  };
  const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data };
  expect(await callApi(process, { method: 'POST', path, body }), 201, 409);
  return 0;
}

/** The Secret's CA into the configurations of --webhook-name. */
async function patch(process: Process, flags: Flags): Promise<number> {
  const secret = await callApi(process, { path: `${secretPath(flags)}/${segment(flags.text('secret-name', ''))}` });
  const { data = {} } = expect(secret, 200) as { data?: Record<string, string> };
  const name = segment(flags.text('webhook-name', ''));
  const failurePolicy = flags.text('patch-failure-policy', '');
  for (const kind of ['validating', 'mutating']) {
    if (!flags.bool(`patch-${kind}`, true)) continue;
    const path = `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/${name}`;
    const { webhooks = [] } = expect(await callApi(process, { path }), 200) as { webhooks?: unknown[] };
    const body = webhooks.flatMap((_, i) => [
      { op: 'add', path: `/webhooks/${i}/clientConfig/caBundle`, value: data['ca'] },
      ...(failurePolicy === '' ? [] : [{ op: 'add', path: `/webhooks/${i}/failurePolicy`, value: failurePolicy }]),
    ]);
    const contentType = 'application/json-patch+json';
    expect(await callApi(process, { method: 'PATCH', path, body, contentType }), 200);
  }
  return 0;
}

const certgen: Program = async process => {
  const [, command = '', ...rest] = process.args;
  const flags = parseFlags(rest);
  if (command === 'create') return create(process, flags);
  if (command === 'patch') return patch(process, flags);
  await process.stderr.write(
    `Error: unknown command "${command}" for "kube-webhook-certgen": known are create, patch\n`,
  );
  return 1;
};

/** What ingress-nginx and others run as Jobs before their webhook can be called: without it their Pods wait for a Secret. */
export const webhookCertgen: KnownImage = {
  names: ['kube-webhook-certgen'],
  about: 'makes the certificate of an admission webhook and puts it into a Secret and the configurations',
  ports: [],
  entrypoint: ['/kube-webhook-certgen'],
  cmd: [],
  programs: { 'kube-webhook-certgen': certgen },
  userland: false,
  user: 65532,
};
