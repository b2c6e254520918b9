import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { badRequestError, serviceUnavailableError, StatusError } from '../../machinery/status.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Exchange } from '../pipeline/exchange.js';
import { backendOf, type Backend, type ProxyTarget } from './backend.js';
import { dialProblem, isUnverified } from '../dial/dial-problem.js';
import { answered } from './forward.js';
import { bodyHeaders, forwardedHeaders, hasBody, returnedHeaders } from './headers.js';
import { isLoopback, kubeletAddress } from '../dial/kubelet-address.js';
import { rewriteLinks } from './rewrite/html.js';
import { linkRewriter, type LinkRewriter } from './rewrite/link.js';
import { forwardedUri, proxyPrefix } from './rewrite/prefix.js';
import { peerLeft } from './ended.js';

/** The client's headers, and what a server behind a proxy wants to know about the client's side of it. */
export function proxyHeaders(exchange: Exchange, backend: Backend): OutgoingHttpHeaders {
  const { raw, path } = exchange.request;
  return {
    ...forwardedHeaders(raw),
    host: raw.headers.host ?? backend.host,
    'x-forwarded-uri': forwardedUri(proxyPrefix(path, backend.path), backend.path),
  };
}

/** @throws StatusError in place of what went wrong on the way to a proxied server */
export function unreachable(error: unknown, exchange: Exchange, target: ProxyTarget, context: ApiContext): Error {
  if (exchange.request.signal.aborted || error instanceof StatusError) return error as Error;
  const problem = error as Error;
  if (target.kind === 'kubelet-proxy' && isUnverified(problem) && isOnLoopback(target.node, context))
    return badRequestError('address not allowed');
  return serviceUnavailableError(`error trying to reach service: ${problem.message}`);
}

/** Upstream refuses such nodes at once; here one whose agent could show who it is may be there. */
function isOnLoopback(name: string, context: ApiContext): boolean {
  const node = context.objects.get('nodes', { namespace: '', name });
  return node !== undefined && isLoopback(kubeletAddress(node).host);
}

/**
 * The body with its links rewritten, for a page; none: it passes as it is.
 * @param encoding what is left to decode
 */
export async function rewriting(
  answer: IncomingMessage,
  method: string,
  rewrite: LinkRewriter,
  encoding = answer.headers['content-encoding'] ?? '',
): Promise<Transform[]> {
  const [type = ''] = (answer.headers['content-type'] ?? '').split(';');
  if (type.trim() !== 'text/html' || method === 'HEAD') return [];
  const links = rewriteLinks(rewrite);
  if (encoding === '') return [links];
  const { createGunzip, createGzip, createInflateRaw, createDeflateRaw } = await import('node:zlib');
  if (encoding === 'gzip') return [createGunzip(), links, createGzip()];
  if (encoding === 'deflate') return [createInflateRaw(), links, createDeflateRaw()];
  return [];
}

/**
 * A plain request to a Pod, or to a kubelet in its own name, streamed both ways. Every answer passes; links in it that
 * mean the server lead into the proxy (apimachinery util/proxy transport.go).
 */
export async function proxyRequest(exchange: Exchange, target: ProxyTarget, context: ApiContext): Promise<void> {
  const { request } = exchange;
  const { raw, signal } = request;
  const backend = backendOf(exchange, target, context);
  let answer: IncomingMessage;
  try {
    answer = await sendOn(raw, await backend.open({ ...proxyHeaders(exchange, backend), ...bodyHeaders(raw) }), signal);
  } catch (error) {
    throw unreachable(error, exchange, target, context);
  }
  const rewrite = linkRewriter({
    prefix: proxyPrefix(request.path, backend.path),
    backend: backend.host,
    requested: raw.headers.host ?? '',
  });
  const headers = returnedHeaders(answer);
  const location = answer.headers.location;
  let transforms: Transform[] = [];
  if (location !== undefined && location !== '') headers['location'] = rewrite(location);
  else transforms = await rewriting(answer, request.method, rewrite);
  await passOn(exchange, answer, { headers, transforms }, context);
}

/** Sends a request with the client's body; the answer, once its head is there. @throws DialError, StatusError */
export async function sendOn(
  raw: IncomingMessage,
  outgoing: ClientRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  if (!hasBody(raw)) outgoing.end();
  // A server may answer without having read all; what then becomes of the rest is no failure of the answer.
  else pipeline(raw, outgoing).catch((error: Error) => void outgoing.destroy(error));
  try {
    return await answered(outgoing, signal);
  } catch (error) {
    throw error instanceof StatusError || signal.aborted ? error : dialProblem(error, outgoing);
  }
}

/** Streams an answer to the client, at the client's pace. */
export async function passOn(
  exchange: Exchange,
  answer: IncomingMessage,
  { headers, transforms }: { readonly headers: OutgoingHttpHeaders; readonly transforms: readonly Transform[] },
  context: ApiContext,
): Promise<void> {
  const { request } = exchange;
  const { raw, response } = request;
  if (transforms.length > 0) delete headers['content-length'];
  const code = answer.statusCode ?? 502;
  exchange.audit?.started(code);
  // The next request cannot begin where this one's body has not ended.
  if (!raw.complete) response.shouldKeepAlive = false;
  response.writeHead(code, { 'Audit-Id': request.auditId, 'Cache-Control': 'no-cache, private', ...headers });
  response.flushHeaders();
  try {
    await pipeline([answer, ...transforms, response]);
  } catch (error) {
    // Either side may go at any time; the other one has been cut off by pipeline.
    if (!peerLeft(error)) context.log.info({ err: error, url: request.url }, 'proxied answer ended early');
  }
}
