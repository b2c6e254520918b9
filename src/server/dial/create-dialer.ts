import { request as httpRequest, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { DialError, transportProblem } from './dial-problem.js';
import { createPool, type AgentRequest } from './pool.js';
import { createReach, type ReachOptions } from './reach.js';
import { readAnswer } from './read-answer.js';
import { secure, secureContextOf } from './secure.js';
import type { ConnectOptions, Dialer, DialTarget, FetchRequest } from './types.js';

/** What an answer's head may be long. */
const MAX_HEADER_BYTES = 64 * 1024;

export function createDialer(options: ReachOptions): Dialer {
  const { kubelet, clock } = options;
  const reach = createReach(options);
  const pool = createPool();

  const connect = async (
    target: DialTarget,
    { tls, signal }: ConnectOptions,
    context?: Promise<SecureContext>,
  ): Promise<Duplex> => {
    // What is wrong with the settings is wrong before anybody is asked.
    const secureContext = tls === undefined ? undefined : await (context ?? secureContextOf(tls));
    const connection = await reach(target, signal);
    if (tls === undefined || secureContext === undefined) return connection;
    return secure(connection, tls, secureContext, { clock, signal });
  };

  /** Connections that are made for the agent's next request, with a TLS context made once. */
  const agentOf = (target: DialTarget, { tls }: ConnectOptions): Agent => {
    let context: Promise<SecureContext> | undefined;
    return pool.agent(target, tls, signal => {
      if (tls !== undefined) context ??= secureContextOf(tls);
      return connect(target, { tls, signal }, context);
    });
  };

  return {
    kubelet,
    connect: (target, asked) => connect(target, asked),

    async open(target, request) {
      const { method, path, headers } = request;
      const stream = await connect(target, request);
      const outgoing = httpRequest({ createConnection: () => stream, method, path, headers, setHost: false });
      // One request is all that this connection carries; the server need not know.
      if (headers['connection'] === undefined) outgoing.removeHeader('Connection');
      let switched = false;
      outgoing.once('upgrade', () => (switched = true));
      outgoing.once('close', () => void (switched || stream.destroy()));
      return outgoing;
    },

    async fetch(target, request) {
      const { method, path, headers, signal, body } = request;
      signal.throwIfAborted();
      const sent: AgentRequest = {
        agent: agentOf(target, request),
        method,
        path,
        headers: body === undefined ? headers : { ...headers, 'Content-Length': body.length },
        setHost: false,
        maxHeaderSize: MAX_HEADER_BYTES,
        dialSignal: signal,
      };
      const answer = await exchange(httpRequest(sent), request);
      const { statusCode = 0 } = answer;
      return { status: statusCode, headers: answer.headers, body: await readAnswer(answer, request.maxBytes, signal) };
    },

    close: () => pool.close(),
  };
}

/** The head of the answer. What is aborted ends its connection, also while the body is read. */
function exchange(outgoing: ClientRequest, { signal, body }: FetchRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const abort = (): void => void outgoing.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    outgoing.once('close', () => signal.removeEventListener('abort', abort));
    outgoing.once('response', resolve);
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(new DialError('malformed HTTP response: protocol switched without being asked'));
    });
    // Stays: what still goes wrong with a request that has its answer shows in the answer.
    outgoing.on('error', error => reject(signal.aborted ? (signal.reason as Error) : transportProblem(error)));
    outgoing.end(body);
  });
}
