import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Transform } from 'node:stream';
import { bodyHeaders, forwardedHeaders, returnedHeaders, upgradeHeaders } from '../connect/headers.js';
import { encodedQuery, wholePath } from '../connect/proxy-path.js';
import { passOn, rewriting, sendOn } from '../connect/proxy.js';
import type { LinkRewriter } from '../connect/rewrite/link.js';
import { switchProtocols, type Refusals } from '../connect/tunnel.js';
import { DialError } from '../dial/dial-problem.js';
import type { ApiContext } from '../pipeline/context.js';
import type { Answer, Exchange } from '../pipeline/exchange.js';
import { splitPath } from '../pipeline/request-info.js';
import { isAvailable, remoteApi, type ReadonlyApiService, type RemoteApi } from './api-service.js';
import { hostOf, ResolveError, targetOf, tlsOf, type BackendOptions } from './backend.js';
import { HeaderValueError, userHeaders } from './user-headers.js';

/** What discovery may take: clients ask for all of it before they do anything. */
const DISCOVERY_TIMEOUT_MS = 5_000;

/** Ends the request with a line of text. */
class PlainError extends Error {
  override readonly name = 'PlainError';
  constructor(
    readonly code: number,
    message: string,
    readonly newline = true,
  ) {
    super(message);
  }
}

const plain = ({ code, message, newline }: PlainError): Answer => ({
  kind: 'raw',
  code,
  headers: {
    'Content-Type': 'text/plain; charset=utf-8',
    ...(newline ? { 'X-Content-Type-Options': 'nosniff' } : {}),
  },
  body: newline ? `${message}\n` : message,
});

const unreachable = (problem: Error): PlainError =>
  new PlainError(503, `error trying to reach service: ${problem.message}`);

const REFUSALS: Refusals = {
  unreachable: problem => new PlainError(503, problem.message),
  notUpgraded: text => new PlainError(503, text),
};

/** A request that may not take longer than its client would wait. */
function limited(exchange: Exchange, context: ApiContext): { signal: AbortSignal; done: () => void } {
  const { info, request } = exchange;
  if (info.isResource || splitPath(info.path).length !== 3) return { signal: request.signal, done: () => undefined };
  const late = new AbortController();
  const cancel = context.clock.after(
    DISCOVERY_TIMEOUT_MS,
    () => late.abort(new DialError('context deadline exceeded')),
    { unref: true },
  );
  return { signal: AbortSignal.any([request.signal, late.signal]), done: cancel };
}

/**
 * Compression that the client has not asked for is between this server and the other one, as in Go's http.Transport.
 */
const compresses = ({ headers, method }: IncomingMessage): boolean =>
  headers['accept-encoding'] === undefined && headers.range === undefined && method !== 'HEAD';

/** Upstream's transport rewrites links for a client that does not know the backend; here they name it. */
const linkTo =
  (host: string): LinkRewriter =>
  link =>
    link.startsWith('/') && !link.startsWith('//') ? `https://${host}${link}` : link;

interface Sending {
  readonly api: RemoteApi;
  readonly host: string;
  readonly path: string;
  readonly options: BackendOptions;
}

function open(
  exchange: Exchange,
  { api, path, options }: Sending,
  headers: OutgoingHttpHeaders,
  signal: AbortSignal,
): Promise<ClientRequest> {
  const { method } = exchange.request;
  return options.dialer.open(targetOf(api), { method, path, headers, tls: tlsOf(api, options.identity), signal });
}

/** The client's headers, and who the client is. */
function headersFor({ request, user }: Exchange, { host }: Sending): OutgoingHttpHeaders {
  return { ...forwardedHeaders(request.raw), host, 'audit-id': request.auditId, ...userHeaders(user) };
}

async function send(exchange: Exchange, sending: Sending, context: ApiContext): Promise<Answer> {
  const { raw } = exchange.request;
  const gzip = compresses(raw);
  const headers = {
    ...headersFor(exchange, sending),
    ...bodyHeaders(raw),
    'x-forwarded-host': sending.host,
    'x-forwarded-proto': 'https',
    'x-forwarded-uri': wholePath(exchange.request.url),
    ...(gzip ? { 'accept-encoding': 'gzip' } : {}),
  };
  const { signal, done } = limited(exchange, context);
  let answer: IncomingMessage;
  try {
    answer = await sendOn(raw, await open(exchange, sending, headers, signal), signal);
  } catch (error) {
    if (exchange.request.signal.aborted) throw error;
    throw unreachable((signal.aborted ? signal.reason : error) as Error);
  } finally {
    done();
  }
  const code = answer.statusCode ?? 502;
  if (code >= 300 && code < 400 && (answer.headers.location ?? '') !== '') {
    answer.destroy();
    const text = 'the backend attempted to redirect this request, which is not permitted';
    throw new PlainError(502, text, false);
  }
  const returned = returnedHeaders(answer);
  const transforms: Transform[] = [];
  const compressed = gzip && answer.headers['content-encoding'] === 'gzip';
  if (compressed) {
    const { createGunzip } = await import('node:zlib');
    transforms.push(createGunzip());
    delete returned['content-encoding'];
  }
  const absolute = linkTo(sending.host);
  const { location = '' } = answer.headers;
  if (location !== '') returned['location'] = absolute(location);
  else
    for (const step of await rewriting(answer, raw.method ?? '', absolute, compressed ? '' : undefined))
      transforms.push(step);
  await passOn(exchange, answer, { headers: returned, transforms }, context);
  return { kind: 'taken' };
}

async function upgrade(exchange: Exchange, sending: Sending, context: ApiContext): Promise<Answer> {
  const { raw, signal } = exchange.request;
  const headers = { ...headersFor(exchange, sending), ...upgradeHeaders(raw) };
  await switchProtocols(exchange, () => open(exchange, sending, headers, signal), REFUSALS, context);
  return { kind: 'taken' };
}

/**
 * Sends a request on to the server of an aggregated API, in the name of its user (kube-aggregator
 * pkg/apiserver/handler_proxy.go).
 */
export async function proxyToApi(
  exchange: Exchange,
  service: ReadonlyApiService,
  options: BackendOptions & { readonly isOwn: (exchange: Exchange) => boolean },
  context: ApiContext,
): Promise<Answer> {
  const api = remoteApi(service);
  try {
    if (api === undefined || !isAvailable(service)) throw new PlainError(503, 'service unavailable');
    // What this server has sent on comes back to it: it would go round for ever.
    if (options.isOwn(exchange)) throw new PlainError(508, 'the API is served by nobody: its Service leads back here');
    if (!api.caIsReadable)
      throw new PlainError(500, 'unable to load root certificates: unable to parse bytes as PEM block');
    const { url, query, upgradeHead } = exchange.request;
    const sending = { api, options, host: hostOf(api, options), path: wholePath(url) + encodedQuery(query) };
    return await (upgradeHead === undefined ? send : upgrade)(exchange, sending, context);
  } catch (error) {
    if (error instanceof PlainError) return plain(error);
    if (error instanceof ResolveError) return plain(new PlainError(503, 'service unavailable'));
    if (error instanceof HeaderValueError) return plain(unreachable(error));
    throw error;
  }
}
