import type { OutgoingHttpHeaders } from 'node:http';
import type { Clock } from '../../machinery/clock.js';
import { quote } from '../../machinery/go-text.js';
import { inTurns } from '../../machinery/steps.js';
import type { Turns } from '../../machinery/turns.js';
import type { JsonObject } from '../../machinery/types.js';
import { DialError } from '../dial/dial-problem.js';
import { BodyError } from '../dial/read-answer.js';
import type { Dialer, FetchAnswer } from '../dial/types.js';
import { statusText, WebhookCallError } from './call-error.js';
import { endpointOf, type ClientConfig, type Endpoint } from './client-config.js';
import { readReview, readStatus, ReadError, type ReviewType } from './read-body.js';

export interface WebhookClientOptions {
  readonly dialer: Pick<Dialer, 'fetch'>;
  readonly clock: Clock;
  readonly turns: Turns;
}

export interface WebhookCall {
  readonly config: ClientConfig;
  /** JSON. */
  readonly body: Buffer;
  /** Whole seconds that the webhook is told it has; who calls keeps the time. */
  readonly timeoutSeconds: number;
  /** Aborts with a DeadlineError when the time is up. */
  readonly signal: AbortSignal;
  /** What the answer should be. */
  readonly answer: ReviewType;
  /** How long the answer may be. */
  readonly maxBytes: number;
}

/** Asks a webhook once; the answer as it would be in Go. @throws WebhookCallError, or the signal's reason but for a deadline */
export type CallWebhook = (call: WebhookCall) => Promise<JsonObject>;

const USER_AGENT = 'kube-apiserver-admission';
/** client-go's and net/http's. */
const MAX_RETRIES = 10;
const MAX_REDIRECTS = 10;

/** What one request in a row of redirects is. */
interface Step {
  readonly method: 'POST' | 'GET';
  readonly endpoint: Endpoint;
  /** With the query. */
  readonly path: string;
  readonly body: Buffer | undefined;
}

const urlOf = ({ endpoint, path }: Step): string => endpoint.origin + path;

/** Where a redirect leads; undefined: the answer is none. What net/http's client does. @throws Error */
function redirected(step: Step, { status, headers }: FetchAnswer, tls: Endpoint['tls']): Step | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return undefined;
  const { location } = headers;
  const again = status === 307 || status === 308;
  // One that leads nowhere is an answer like any other.
  if (location === undefined || location === '') return undefined;
  const url = URL.canParse(location, urlOf(step)) ? new URL(location, urlOf(step)) : undefined;
  if (url === undefined) throw new Error(`failed to parse Location header ${quote(location)}`);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Error(`unsupported protocol scheme ${quote(url.protocol.slice(0, -1))}`);
  const { hostname, host, port, pathname, search, protocol } = url;
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const origin = `${protocol}//${host}`;
  const fallback = protocol === 'https:' ? 443 : 80;
  // Whoever sends elsewhere is believed by the same authorities, but has the name that the URL says.
  const endpoint: Endpoint =
    origin === step.endpoint.origin
      ? step.endpoint
      : {
          target: { kind: 'host', host: bare, port: port === '' ? fallback : Number(port) },
          tls: { ...tls, serverName: bare },
          origin,
          path: pathname,
        };
  const method = again ? step.method : 'GET';
  return { method, endpoint, path: pathname + search, body: again ? step.body : undefined };
}

/** Seconds that the answer asks to wait before the same is asked again; undefined: it does not. */
function retryAfter({ status, headers }: FetchAnswer): number | undefined {
  if (status !== 429 && status < 500) return undefined;
  const text = headers['retry-after'] ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

export function createWebhookClient({ dialer, clock, turns }: WebhookClientOptions): CallWebhook {
  const once = ({ method, endpoint, path, body }: Step, { signal, maxBytes }: WebhookCall): Promise<FetchAnswer> => {
    const headers: OutgoingHttpHeaders = {
      Host: endpoint.origin.slice(endpoint.origin.indexOf('://') + 3),
      'User-Agent': USER_AGENT,
      Accept: 'application/json, */*',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      'Accept-Encoding': 'gzip',
    };
    const tls = endpoint.origin.startsWith('https:') ? endpoint.tls : undefined;
    return dialer.fetch(endpoint.target, {
      method,
      path,
      headers,
      ...(body === undefined ? {} : { body }),
      tls,
      signal,
      maxBytes,
    });
  };

  /** One request and what it is redirected to. @throws WebhookCallError */
  const follow = async (first: Step, call: WebhookCall): Promise<FetchAnswer> => {
    let step = first;
    for (let redirects = 0; ; redirects++) {
      try {
        const answer = await once(step, call);
        const next = redirected(step, answer, first.endpoint.tls);
        if (next === undefined) return answer;
        if (redirects >= MAX_REDIRECTS) {
          // As it stands in the answer.
          const where = quote(answer.headers.location ?? '');
          throw new WebhookCallError(`${verbOf(next)} ${where}: stopped after ${MAX_REDIRECTS} redirects`, 503);
        }
        step = next;
      } catch (error) {
        throw callError(error, step, call.signal);
      }
    }
  };

  return async call => {
    const endpoint = endpointOf(call.config);
    const path = `${endpoint.path}?timeout=${call.timeoutSeconds}s`;
    const first: Step = { method: 'POST', endpoint, path, body: call.body };
    for (let attempt = 0; ; attempt++) {
      const answer = await follow(first, call);
      const seconds = retryAfter(answer);
      if (seconds === undefined || attempt >= MAX_RETRIES) return inTurns(readAnswer(answer, call.answer), turns);
      try {
        await clock.sleep(seconds * 1000, call.signal);
      } catch (error) {
        throw callError(error, first, call.signal);
      }
    }
  };
}

const verbOf = ({ method }: Step): string => (method === 'POST' ? 'Post' : 'Get');

/** http.Client's error, which names the request; or that of the body, which client-go puts into words of its own. */
function callError(error: unknown, step: Step, signal: AbortSignal): Error {
  if (error instanceof BodyError)
    return new WebhookCallError(
      `unexpected error when reading response body. Please retry. Original error: ${error.message}`,
      503,
      { cause: error },
    );
  if (!(error instanceof Error)) return new Error(String(error));
  // Whoever asked has gone: nobody is told of it.
  if (signal.aborted && error === signal.reason && error.name !== 'DeadlineError') return error;
  if (!(error instanceof DialError) && error.name !== 'Error' && error.name !== 'DeadlineError') return error;
  return new WebhookCallError(`${verbOf(step)} ${quote(urlOf(step))}: ${error.message}`, 503, { cause: error });
}

/** client-go rest.Result.Into. @throws WebhookCallError */
function* readAnswer({ status, headers, body }: FetchAnswer, wanted: ReviewType) {
  const contentType = headers['content-type'];
  if (contentType !== undefined && contentType !== '' && contentType.split(';', 1)[0]?.trim() === '')
    throw new WebhookCallError('Internal error occurred: mime: no media type', 500);
  if (status < 200 || status > 206) {
    const said = yield* readStatus(body);
    if (said === undefined) throw new WebhookCallError(statusText(status, contentType, body), status);
    const { message = '', code } = said as { message?: string; code?: number };
    throw new WebhookCallError(message, code ?? status);
  }
  if (body.length === 0)
    throw new WebhookCallError(
      `0-length response with status code: ${status} and content type: ${contentType ?? 'application/json'}`,
      503,
    );
  try {
    return yield* readReview(body, wanted);
  } catch (error) {
    if (error instanceof ReadError) throw new WebhookCallError(error.message, 503, { cause: error });
    throw error;
  }
}
