import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KubeObject } from '../../../src/machinery/types.js';
import { issueCertificate } from '../../../src/machinery/x509/certificate.js';

const DAY_MS = 86_400_000;
const valid = { notBefore: Date.now() - DAY_MS, notAfter: Date.now() + DAY_MS };
const ca = issueCertificate({ subject: { commonName: 'bench' }, usage: 'ca', ...valid });
const { cert, key } = issueCertificate({
  subject: { commonName: 'hooks' },
  usage: 'server',
  issuer: ca,
  subjectAltNames: ['127.0.0.1'],
  ...valid,
});

interface Asked {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: {
    readonly uid: string;
    readonly desiredAPIVersion?: string;
    readonly objects?: readonly KubeObject[];
  };
}

const PATCH = Buffer.from(JSON.stringify([{ op: 'add', path: '/data/hooked', value: 'yes' }])).toString('base64');

/** What each path answers. */
const ANSWERS: Readonly<Record<string, (request: Asked['request']) => object>> = {
  '/validate': ({ uid }) => ({ uid, allowed: true }),
  '/mutate': ({ uid }) => ({ uid, allowed: true, patchType: 'JSONPatch', patch: PATCH }),
  '/convert': ({ uid, desiredAPIVersion, objects = [] }) => ({
    uid,
    result: { status: 'Success' },
    convertedObjects: objects.map(object => ({ ...object, apiVersion: desiredAPIVersion })),
  }),
};

/** Webhooks that cost next to nothing, so that what is measured is the server that asks them. */
const server = createServer({ cert, key }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { apiVersion, kind, request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    const answer = ANSWERS[(request.url ?? '').split('?')[0] ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(answer === undefined ? '{}' : JSON.stringify({ apiVersion, kind, response: answer(asked) }));
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port, ca: ca.cert }));
