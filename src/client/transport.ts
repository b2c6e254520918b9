import {
  Agent as HttpAgent,
  request as httpRequest,
  type AgentOptions,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, createSecureContext } from 'node:tls';
import { inHand, type Accountable } from '../machinery/work-ledger.js';
import { StatusError, type Status, type StatusReason } from '../machinery/status.js';
import type { Cable } from '../machinery/cable.js';
import type { ClientConfig } from './kubeconfig.js';

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body?: string | Buffer;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds without a byte until the request is given up; 0: never (watches). */
  readonly idleTimeoutMs?: number;
}

/** A request that got no answer: refused, reset, timed out. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** Sends requests to one API server over keep-alive connections. */
export interface Transport {
  readonly config: ClientConfig;
  readonly userAgent: string;
  /** The answer's stream, whatever its status. @throws ConnectionError, or the signal's reason */
  open(request: HttpRequest): Promise<IncomingMessage>;
  /** The answer's body as text. @throws StatusError for an answer of 400 and above, ConnectionError */
  fetch(request: HttpRequest): Promise<string>;
  close(): void;
}

const DEFAULT_IDLE_TIMEOUT_MS = 60_000;

async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch (error) {
    throw new ConnectionError(`answer broke off: ${(error as Error).message}`, { cause: error });
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Turns an answer's body into the error the server meant, also when a proxy in between sent plain text. */
export function toStatusError(code: number, body: string): StatusError {
  try {
    const status = JSON.parse(body) as Partial<Status>;
    if (status.kind === 'Status')
      return new StatusError(
        status.code ?? code,
        status.reason,
        status.message ?? '',
        status.details,
        status.metadata ?? {},
      );
  } catch {
    // Not JSON: the text itself is the message, below.
  }
  const reasons: Record<number, StatusReason> = {
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    503: 'ServiceUnavailable',
  };
  return new StatusError(code, reasons[code], body.trim() === '' ? `the server answered ${code}` : body.trim());
}

/** Connects as it is told to, or as everybody does. */
class ConnectingAgent extends HttpAgent {
  constructor(
    options: AgentOptions,
    private readonly connect: (() => Duplex) | undefined,
  ) {
    super(options);
  }

  override createConnection(...given: Parameters<HttpAgent['createConnection']>): Duplex | null | undefined {
    return this.connect === undefined ? super.createConnection(...given) : this.connect();
  }
}

/** `accountable`: is told of requests that are under way, watches excepted. */
export function createTransport(config: ClientConfig, userAgent: string, accountable: Accountable = {}): Transport {
  const url = new URL(config.server);
  const secure = url.protocol === 'https:';
  // lifo keeps few connections warm; each costs the server a TLS session.
  const { connect, maxConnections: maxSockets = Infinity } = config;
  const tls = secure && connect === undefined;
  const agent = tls
    ? new HttpsAgent({
        keepAlive: true,
        scheduling: 'lifo',
        maxSockets,
        // Made once: left to itself, node reads key and certificates again for each connection, 2 ms apiece.
        secureContext: createSecureContext({
          ...(config.ca === undefined ? {} : { ca: config.ca }),
          ...(config.cert === undefined ? {} : { cert: config.cert }),
          ...(config.key === undefined ? {} : { key: config.key }),
        }),
        rejectUnauthorized: !config.insecureSkipTlsVerify,
      })
    : new ConnectingAgent({ keepAlive: true, scheduling: 'lifo', maxSockets }, connect);
  if (config.dial !== undefined) connectWith(agent, config.dial, tls);
  const send = tls ? httpsRequest : httpRequest;

  const connections = config.cable && breakable(config.cable);
  const open = (request: HttpRequest): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const signal = request.signal;
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const options: RequestOptions = {
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port === '' ? (secure ? 443 : 80) : url.port,
        method: request.method,
        path: request.path,
        agent,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          accept: request.accept ?? 'application/json',
          'user-agent': userAgent,
          ...(config.token === undefined ? {} : { authorization: `Bearer ${config.token}` }),
          ...(request.body === undefined
            ? {}
            : {
                'content-type': request.contentType ?? 'application/json',
                'content-length': Buffer.byteLength(request.body),
              }),
        },
      };
      if (config.cable?.plugged === false)
        return reject(new ConnectionError(`${request.method} ${url.origin}: EHOSTUNREACH: the network is unreachable`));
      const outgoing = send(options, resolve);
      if (connections !== undefined) outgoing.once('socket', socket => connections.add(socket));
      const idle = request.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
      if (idle > 0) outgoing.setTimeout(idle, () => outgoing.destroy(new Error(`no answer for ${idle} ms`)));
      outgoing.on('error', error => {
        if (signal?.aborted === true) return reject(signal.reason as Error);
        reject(
          new ConnectionError(`${request.method} ${url.origin}${request.path.split('?')[0] ?? ''}: ${error.message}`, {
            cause: error,
          }),
        );
      });
      outgoing.end(request.body);
    });

  return {
    config,
    userAgent,
    open,
    async fetch(request) {
      const answered = inHand(accountable, userAgent);
      try {
        const answer = await open(request);
        const body = await readAll(answer);
        const code = answer.statusCode ?? 0;
        if (code >= 400) throw toStatusError(code, body);
        return body;
      } finally {
        answered();
      }
    },
    close() {
      connections?.forget();
      agent.destroy();
    },
  };
}

/** Lets an agent's connections be opened by somebody else. */
function connectWith(agent: HttpAgent, dial: () => Promise<Duplex>, secure: boolean): void {
  type Done = (error: Error | null, stream?: Duplex) => void;
  const open = (options: object, done: Done): void => {
    dial().then(
      stream => {
        // What is lost before anybody reads is told to who does.
        stream.on('error', () => undefined);
        done(null, secure ? tlsConnect({ ...options, socket: stream }) : stream);
      },
      (error: unknown) => done(error as Error),
    );
  };
  Object.assign(agent, { createConnection: open });
}

/** Connections that are lost with the cable: whoever waits for an answer learns it now, not when its patience is over. */
function breakable(cable: Cable): { add(socket: Socket): void; forget(): void } {
  const sockets = new Set<Socket>();
  const forget = cable.onChange(plugged => {
    if (!plugged) for (const socket of sockets) socket.destroy(new Error('the network is unreachable'));
  });
  return {
    add(socket) {
      if (sockets.has(socket)) return;
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    },
    forget,
  };
}
