import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { AdmissionregistrationV1Api, type KubeConfig } from '@kubernetes/client-node';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';
import { GROUP, PLURAL, type Greeting } from './definition.js';

interface Review {
  readonly request: { readonly uid: string; readonly object: Greeting };
}

/** Greetings without a language are English; those in Latin are refused. */
function answer(path: string, { spec }: Greeting): object {
  if (path === '/validate')
    return spec.language === 'la'
      ? { allowed: false, status: { code: 403, message: 'nobody speaks it any more' } }
      : { allowed: true, warnings: spec.text === 'bye' ? ['that is no greeting'] : [] };
  if (spec.language !== undefined) return { allowed: true };
  const patch = JSON.stringify([{ op: 'add', path: '/spec/language', value: 'en' }]);
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(patch).toString('base64') };
}

/** Both webhooks on a port of this machine, and their configurations. */
export async function serveWebhooks(config: KubeConfig): Promise<Server> {
  const now = Date.now();
  const tls = issueCertificate({
    subject: { commonName: '127.0.0.1' },
    notBefore: now - 60_000,
    notAfter: now + 3_600_000,
    usage: 'server',
    subjectAltNames: ['127.0.0.1'],
  });
  const server = createServer({ cert: tls.cert, key: tls.key }, (request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        const { request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as Review;
        const body = { uid: asked.uid, ...answer((request.url ?? '').split('?')[0] ?? '', asked.object) };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: body }));
      });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const webhook = (path: string) => ({
    name: `${path}.${GROUP}`,
    clientConfig: { url: `https://127.0.0.1:${port}/${path}`, caBundle: Buffer.from(tls.cert).toString('base64') },
    rules: [{ apiGroups: [GROUP], apiVersions: ['v1'], resources: [PLURAL], operations: ['CREATE', 'UPDATE'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  });
  const api = config.makeApiClient(AdmissionregistrationV1Api);
  const metadata = { name: GROUP };
  await api.createMutatingWebhookConfiguration({ body: { metadata, webhooks: [webhook('default')] } });
  await api.createValidatingWebhookConfiguration({ body: { metadata, webhooks: [webhook('validate')] } });
  return server;
}

export async function removeWebhooks(config: KubeConfig, server: Server): Promise<void> {
  const api = config.makeApiClient(AdmissionregistrationV1Api);
  await api.deleteMutatingWebhookConfiguration({ name: GROUP });
  await api.deleteValidatingWebhookConfiguration({ name: GROUP });
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
}
