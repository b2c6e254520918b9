import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions } from 'ws';
import type { Clock } from '../../machinery/clock.js';
import {
  byteStreamOf,
  PORT_FORWARD_PROTOCOL,
  serveSpdyPortForward,
  serveWebSocketPortForward,
  TUNNEL_PROTOCOL,
} from './port-forward.js';
import { parseRequestUrl } from './request-url.js';
import { parseStreamingRequest, type StreamingRequest } from './request.js';
import { acceptSpdyCommand, COMMAND_PROTOCOLS } from './spdy-session.js';
import {
  exitedWith,
  failedWith,
  StreamingError,
  succeeded,
  type CommandSession,
  type SessionStatus,
  type StreamingBackend,
} from './types.js';
import { acceptWebSocketCommand, WEBSOCKET_COMMAND_PROTOCOLS } from './websocket-session.js';

/**
 * How long after the closing frame the connection goes. The real server drops it at once, and Python's client counts on
 * that: it sleeps on the socket while frames wait in its TLS buffer, and wakes up only when the connection ends.
 */
const CLOSE_TIMEOUT_MS = 50;

/** One message of a client; a program's input comes in as many as it likes. */
const MAX_MESSAGE_BYTES = 4 << 20;

export interface StreamingOptions {
  readonly backend: StreamingBackend;
  readonly clock: Clock;
}

/** Handles an HTTP server's `upgrade` events; false: the path is not a streaming one and the socket is untouched. */
export type StreamingServer = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/** Protocols the client offers: SPDY repeats the header, which node joins with commas. */
const offered = (request: IncomingMessage, header: string): string[] =>
  String(request.headers[header] ?? '')
    .split(',')
    .map(text => text.trim())
    .filter(text => text !== '');

function refuse(socket: Duplex, code: number, message: string): void {
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${code} ${code === 403 ? 'Forbidden' : 'Bad Request'}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Exec, attach and port-forward of the kubelet's API, over SPDY/3.1 and WebSocket. */
export function createStreamingServer({ backend, clock }: StreamingOptions): StreamingServer {
  // A type of its own: @types/ws does not know closeTimeout yet.
  const options: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: offers => choose(WEBSOCKET_COMMAND_PROTOCOLS, [...offers]) ?? false,
  };
  const webSockets = new WebSocketServer(options);
  /** Upgrades to SPDY inside WebSocket: "/" is no token character, so ws would refuse the header that names it. */
  const tunnels = new WeakSet<IncomingMessage>();
  webSockets.on('headers', (headers, message) => {
    if (tunnels.has(message)) headers.push(`Sec-WebSocket-Protocol: ${TUNNEL_PROTOCOL}`);
  });

  const runCommand = async (request: StreamingRequest, session: CommandSession): Promise<void> => {
    let status: SessionStatus = succeeded;
    try {
      if (request.kind === 'exec')
        status = exitedWith(await backend.exec(request.target, request.command, session.streams, session.signal));
      else if (request.kind === 'attach') await backend.attach(request.target, session.streams, session.signal);
    } catch (error) {
      status = failedWith((error as Error).message);
    }
    session.finish(status);
  };

  const serveWebSocket = (request: StreamingRequest, message: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const protocols = offered(message, 'sec-websocket-protocol');
    const served =
      request.kind === 'portForward' ? [TUNNEL_PROTOCOL, 'v4.channel.k8s.io'] : [...WEBSOCKET_COMMAND_PROTOCOLS];
    if (protocols.length > 0 && choose(served, protocols) === undefined)
      return refuse(
        socket,
        400,
        `unable to upgrade: none of the offered subprotocols is served: ${protocols.join(', ')}`,
      );
    if (request.kind === 'portForward' && protocols.includes(TUNNEL_PROTOCOL)) {
      tunnels.add(message);
      delete message.headers['sec-websocket-protocol'];
    }
    webSockets.handleUpgrade(message, socket, head, webSocket => {
      if (request.kind !== 'portForward')
        return void runCommand(request, acceptWebSocketCommand(webSocket, request.wants));
      if (tunnels.has(message)) serveSpdyPortForward(byteStreamOf(webSocket), request.target, backend);
      else serveWebSocketPortForward(webSocket, request.target, request.ports, backend, clock);
    });
  };

  const serveSpdyUpgrade = (
    request: StreamingRequest,
    message: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): void => {
    const served = request.kind === 'portForward' ? [PORT_FORWARD_PROTOCOL] : [...COMMAND_PROTOCOLS];
    const offers = offered(message, 'x-stream-protocol-version');
    const protocol = offers.length === 0 ? served.at(-1) : choose(served, offers);
    if (protocol === undefined)
      return refuse(
        socket,
        403,
        `unable to upgrade: unable to negotiate protocol: client supports [${offers.join(' ')}], server accepts [${served.join(' ')}]`,
      );
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
    );
    if (head.length > 0) socket.unshift(head);
    if (request.kind === 'portForward') return serveSpdyPortForward(socket, request.target, backend);
    acceptSpdyCommand(socket, protocol, request.wants, clock).then(
      session => runCommand(request, session),
      () => socket.destroy(),
    );
  };

  return (message, socket, head) => {
    try {
      const target = parseRequestUrl(message.url ?? '');
      const request = target === undefined ? undefined : parseStreamingRequest(target);
      if (request === undefined) return false;
      socket.on('error', () => socket.destroy());
      const upgrade = String(message.headers.upgrade ?? '').toLowerCase();
      if (upgrade === 'websocket') serveWebSocket(request, message, socket, head);
      else if (upgrade === 'spdy/3.1') serveSpdyUpgrade(request, message, socket, head);
      else refuse(socket, 400, `unable to upgrade: unknown protocol ${upgrade}`);
    } catch (error) {
      refuse(socket, error instanceof StreamingError ? error.code : 400, (error as Error).message);
    }
    return true;
  };
}

/** The first served protocol that is offered. */
function choose(served: readonly string[], offers: readonly string[]): string | undefined {
  return served.find(protocol => offers.includes(protocol));
}
