import type { IncomingMessage, ServerResponse } from 'node:http';

/** As much as an API server sends. */
const MAX_BODY = 8 * 1024 * 1024;

/** Whether a request may be an API server's to an admission webhook, which always names its timeout. */
export const isReview = ({ method, url = '', headers }: IncomingMessage): boolean =>
  method === 'POST' && headers['content-type'] === 'application/json' && url.includes('timeout=');

/** Answers an AdmissionReview as a webhook that has no objections; anything else with 400. */
export function admitAll(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('error', () => response.destroy());
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_BODY) request.destroy();
    else chunks.push(chunk);
  });
  request.on('end', () => {
    const review = parseReview(Buffer.concat(chunks).toString('utf8'));
    if (review === undefined) {
      response.writeHead(400, { 'Content-Type': 'text/plain' });
      return void response.end('no AdmissionReview\n');
    }
    const { apiVersion, kind, request: asked } = review;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ apiVersion, kind, response: { uid: asked?.uid, allowed: true } }));
  });
}

interface Review {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly request?: { readonly uid?: unknown };
}

function parseReview(text: string): Review | undefined {
  try {
    const review = JSON.parse(text) as Review | null;
    return review?.kind === 'AdmissionReview' ? review : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
