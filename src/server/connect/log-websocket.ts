import type { IncomingMessage } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import type { IncomingRequest } from '../pipeline/exchange.js';

const BASE64 = 'base64.binary.k8s.io';
const BINARY = 'binary.k8s.io';

/** A client has nothing to say here. */
const MAX_MESSAGE_BYTES = 1024;

const offered = (raw: IncomingMessage): string[] =>
  (raw.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map(text => text.trim())
    .filter(text => text !== '');

const served = (protocol: string): boolean => protocol === BASE64 || protocol === BINARY;

/** Whether one of the protocols that the client offers can carry a log, or it offers none. */
export function carriesLogs(raw: IncomingMessage): boolean {
  const offers = offered(raw);
  return offers.length === 0 || offers.some(served);
}

const send = (socket: WebSocket, data: string | Buffer): Promise<void> =>
  new Promise((resolve, reject) =>
    socket.send(data, { binary: typeof data !== 'string' }, error => (error ? reject(error) : resolve())),
  );

/**
 * A stream as WebSocket messages, first an empty one which says that it has begun (apimachinery wsstream.Reader).
 * Resolves when it has ended or the client has gone.
 */
export async function streamToWebSocket(request: IncomingRequest, body: IncomingMessage): Promise<void> {
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: offers => [...offers].find(served) ?? false,
  });
  const socket = await new Promise<WebSocket>((resolve, reject) => {
    request.response.detachSocket(request.socket);
    request.socket.once('close', () => reject(new Error('client went during the WebSocket handshake')));
    webSockets.handleUpgrade(request.raw, request.socket, request.upgradeHead ?? Buffer.alloc(0), resolve);
  });
  const gone = (): void => void body.destroy();
  socket.on('close', gone);
  socket.on('error', gone);
  const asText = socket.protocol === BASE64;
  try {
    await send(socket, asText ? '' : Buffer.alloc(0));
    for await (const chunk of body as AsyncIterable<Buffer>)
      await send(socket, asText ? chunk.toString('base64') : chunk);
  } finally {
    socket.close();
  }
}
