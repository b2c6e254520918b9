import type { IncomingMessage, ServerResponse } from 'node:http';
import { serveHttp } from '../http-server.js';
import { logLine, type Flags, type Subcommand } from './command.js';
import { readBody } from './http.js';
import { readKeyPair } from './tls-files.js';
import type { Process } from '../../process.js';

export type Json = Readonly<Record<string, unknown>>;

/** A review as it came: its kind is checked, its request is an object. */
export interface Review {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: Json;
}

/** Answers the request of a review with its response, less the UID; null: there is no answer, and the call is cut off. */
export type Reviewer = (request: Json, process: Process, flags: Flags) => Promise<Json | null> | Json | null;

export interface ReviewServerOptions {
  /** "AdmissionReview" */
  readonly kind: string;
  /** "admission.k8s.io" */
  readonly group: string;
  /** By path. */
  readonly reviewers: Readonly<Record<string, Reviewer>>;
  /** Whether the answer shows an emptied request beside the response. */
  readonly echoesRequest: boolean;
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

class BadReview extends Error {}

function readReview(body: Buffer, { kind, group }: ReviewServerOptions): Review {
  let review: unknown;
  try {
    review = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new BadReview(`Request could not be decoded: ${(error as Error).message}`);
  }
  if (!isObject(review)) throw new BadReview('Request could not be decoded: no object');
  const { apiVersion, kind: actual, request } = review;
  const known = apiVersion === `${group}/v1` || apiVersion === `${group}/v1beta1`;
  if (!known || actual !== kind || !isObject(request))
    throw new BadReview(`Unsupported group version kind: ${String(apiVersion)}, Kind=${String(actual)}`);
  return { apiVersion: String(apiVersion), kind, request };
}

/** An HTTPS server (--port, --tls-cert-file, --tls-private-key-file) that reviews what an API server sends. */
export function reviewServer(options: ReviewServerOptions): Subcommand {
  return async (process, flags) => {
    const tls = await readKeyPair(process, flags.text('tls-cert-file', ''), flags.text('tls-private-key-file', ''));
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const path = (request.url ?? '/').split('?')[0] ?? '/';
      if (path === '/readyz') return void response.end('ok');
      const reviewer = Object.hasOwn(options.reviewers, path) ? options.reviewers[path] : undefined;
      if (reviewer === undefined) {
        response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' });
        return void response.end('404 page not found\n');
      }
      const body = await readBody(request);
      // As upstream: another type gets an empty answer, which an API server takes for a failure.
      if (request.headers['content-type'] !== 'application/json') return void response.end();
      try {
        const { apiVersion, kind, request: asked } = readReview(body, options);
        const result = await reviewer(asked, process, flags);
        if (result === null) return void response.destroy();
        const shown = options.echoesRequest ? { request: { uid: '', desiredAPIVersion: '', objects: [] } } : {};
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ kind, apiVersion, ...shown, response: { uid: asked['uid'], ...result } }));
      } catch (error) {
        if (!(error instanceof BadReview)) throw error;
        logLine(process, error.message);
        response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' });
        response.end(`${error.message}\n`);
      }
    };
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      answer(request, response).catch((error: unknown) => {
        logLine(process, (error as Error).message);
        response.destroy();
      });
    };
    return serveHttp(process, [flags.number('port', 443)], handler, { tls });
  };
}
