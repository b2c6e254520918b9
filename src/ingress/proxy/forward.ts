import {
  request as httpRequest,
  validateHeaderValue,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Transform, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../machinery/clock.js';
import type { Route } from '../routing/route.js';
import { answer } from './answers.js';
import type { Chosen, Endpoint } from './choose-backend.js';
import { dialFirst, NotTaken, type Dial } from './dial.js';
import { framingOf, requestHeaders, responseHeaders, valuesOf, type Forwarded } from './headers.js';
import { watchIdle, type Idle } from './idle.js';

/** A request on its way to a backend. */
export interface Forwarding {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly chosen: Chosen;
  /** Path and query. */
  readonly target: string;
  readonly host: string;
  readonly forwarded: Forwarded;
  /** The client has asked to go on in another protocol: its connection, and what it has said already. */
  readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer };
}

export interface ForwardOptions {
  readonly dial: Dial;
  readonly clock: Clock;
}

/** Who was asked, and what went wrong. */
export interface Outcome {
  readonly endpoint?: Endpoint;
  readonly error?: string;
}

class TooLarge extends Error {}
class Silent extends Error {}

const watched = (idle: Idle): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      idle.moved();
      done(null, chunk);
    },
  });

/**
 * Sends a request to a backend and answers with what it says. Bodies go through piece by piece, each side as fast as the other one reads.
 * A connection is made for each request: whom it may go to is looked up for each.
 */
export async function forward(of: Forwarding, { dial, clock }: ForwardOptions): Promise<Outcome> {
  const { request, response, route, chosen, upgrade } = of;
  const length = Number(valuesOf(request.rawHeaders, 'content-length')[0] ?? 0);
  if (route.maxBody > 0 && length > route.maxBody) {
    answer(response, 413);
    return { error: 'body too large' };
  }
  if (chosen.endpoints.length === 0) {
    answer(response, 503);
    return { error: 'no endpoints' };
  }
  const gone = new AbortController();
  const left = (): void => {
    if (!response.writableFinished) gone.abort(new Error('the client is gone'));
  };
  response.once('close', left);
  const late =
    route.requestTimeoutMs > 0
      ? clock.after(route.requestTimeoutMs, () =>
          gone.abort(new Silent(`not done within ${route.requestTimeoutMs} ms`)),
        )
      : undefined;
  let endpoint: Endpoint | undefined;
  try {
    const dialled = await dialFirst(chosen.endpoints, {
      dial,
      clock,
      timeoutMs: route.connectTimeoutMs,
      secure: route.secureBackend === true,
      signal: gone.signal,
    });
    endpoint = dialled.endpoint;
    await exchange(of, dialled.stream, clock, gone.signal);
    return { endpoint };
  } catch (error) {
    const status = statusOf(error);
    if (upgrade?.socket.destroyed !== true) answer(response, status);
    return { ...(endpoint === undefined ? {} : { endpoint }), error: (error as Error).message };
  } finally {
    late?.();
    response.removeListener('close', left);
  }
}

function statusOf(error: unknown): number {
  if (error instanceof NotTaken) return error.status;
  if (error instanceof TooLarge) return 413;
  return error instanceof Silent ? 504 : 502;
}

/** One request and its answer over a connection, which is gone then. */
async function exchange(of: Forwarding, stream: Duplex, clock: Clock, signal: AbortSignal): Promise<void> {
  const { response, route, chosen } = of;
  const end = (): void => void stream.destroy();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  let silent: Silent | undefined;
  const idle = watchIdle(clock, route.readTimeoutMs, () => {
    silent = new Silent(`the backend was silent for ${route.readTimeoutMs} ms`);
    stream.destroy(silent);
  });
  try {
    const sent = send(of, stream);
    const answered = head(sent, stream);
    const body = sendBody(of, sent, idle);
    // What is wrong with the body is told before what becomes of the connection; an answer may come before its end.
    const got = await Promise.race([answered, body.then(() => answered)]);
    idle.moved();
    if ('socket' in got) return await tunnel(of, got, idle);
    const { message } = got;
    const headers = responseHeaders(message.rawHeaders, [chosen.backend.responseHeaders, route.responseHeaders]);
    response.writeHead(message.statusCode ?? 502, headers.flat());
    response.flushHeaders();
    await pipeline(message, watched(idle), response);
  } catch (error) {
    throw silent ?? (signal.aborted ? signal.reason : error);
  } finally {
    idle.end();
    signal.removeEventListener('abort', end);
    stream.destroy();
  }
}

function send(of: Forwarding, stream: Duplex): ClientRequest {
  const { request, route, chosen, forwarded, host, target, upgrade } = of;
  const method = request.method ?? 'GET';
  const headers = requestHeaders(request.rawHeaders, forwarded, host, [
    route.requestHeaders,
    chosen.backend.requestHeaders,
  ]);
  const protocol = request.headers.upgrade ?? '';
  const connection = upgrade === undefined ? ['Connection', 'close'] : ['Connection', 'Upgrade', 'Upgrade', protocol];
  return httpRequest({
    createConnection: () => stream,
    method,
    path: target,
    setHost: false,
    headers: [
      ...headers.flat(),
      ...(upgrade === undefined ? framingOf(request.rawHeaders, method).flat() : []),
      ...connection,
    ],
  });
}

type Head =
  | { readonly message: IncomingMessage }
  | { readonly message: IncomingMessage; readonly socket: Duplex; readonly head: Buffer };

const head = (sent: ClientRequest, stream: Duplex): Promise<Head> =>
  new Promise((resolve, reject) => {
    sent.once('response', message => resolve({ message }));
    sent.once('upgrade', (message, socket, rest) => resolve({ message, socket, head: rest }));
    sent.on('error', reject);
    stream.once('close', () => reject(Object.assign(new Error('connection reset'), { code: 'ECONNRESET' })));
  });

/**
 * The client's body, as fast as the backend reads it. Resolves when it has been sent, or when the backend wants no more: it may have
 * answered already, and what it says counts. A pipeline would end the client's connection with it.
 * @throws TooLarge
 */
function sendBody({ request, response, route, upgrade }: Forwarding, sent: ClientRequest, idle: Idle): Promise<void> {
  if (upgrade !== undefined) {
    sent.end();
    return Promise.resolve();
  }
  if (request.headers.expect !== undefined) response.writeContinue();
  return new Promise((resolve, reject) => {
    let seen = 0;
    const resume = (): void => void request.resume();
    const stop = (): void => {
      request.removeListener('data', onData).removeListener('end', onEnd);
      sent.removeListener('drain', resume);
    };
    const onEnd = (): void => {
      stop();
      sent.end();
      resolve();
    };
    const onData = (chunk: Buffer): void => {
      idle.moved();
      seen += chunk.length;
      if (route.maxBody > 0 && seen > route.maxBody) {
        stop();
        reject(new TooLarge(`the body has more than ${route.maxBody} bytes`));
      } else if (!sent.write(chunk)) request.pause();
    };
    request.on('data', onData).once('end', onEnd);
    sent.on('drain', resume);
    sent.once('close', () => {
      stop();
      resolve();
    });
  });
}

/** From now on what the two say to each other is their own business. */
async function tunnel(
  { upgrade, chosen, route }: Forwarding,
  got: Extract<Head, { socket: Duplex }>,
  idle: Idle,
): Promise<void> {
  const { message, socket: backend, head: first } = got;
  if (upgrade === undefined) throw new Error('a protocol that nobody asked for');
  const { socket: client, head: rest } = upgrade;
  const headers = responseHeaders(message.rawHeaders, [chosen.backend.responseHeaders, route.responseHeaders]);
  const lines = [...headers, ['Connection', 'Upgrade'], ['Upgrade', message.headers.upgrade ?? '']] as const;
  // Node writes no answer here, and so does not look at what a route adds either.
  for (const [name, value] of lines) validateHeaderValue(name, value);
  client.write(
    `HTTP/1.1 101 Switching Protocols\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    'latin1',
  );
  if (first.length > 0) client.write(first);
  if (rest.length > 0) backend.write(rest);
  await Promise.all([pipeline(client, watched(idle), backend), pipeline(backend, watched(idle), client)]);
}
