import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isAllowed, type AllowedClients } from './client-identity.js';
import { serveDial } from './dial.js';
import { createStreamingBackend } from './streaming-backend.js';
import { containerLogs } from './logs.js';
import { nodeLogs } from './node-logs.js';
import { rules } from './rules.js';
import { configz, metrics, stats } from './stats.js';
import { sockets } from './sockets.js';
import { trace } from './trace.js';
import { volumes } from './volumes.js';
import { HttpError, sendJson, sendText, type KubeletContext, type KubeletRoute } from './types.js';
import type { ClusterDns } from '../pods/etc-files.js';
import { parseRequestUrl } from '../streaming/request-url.js';
import type { StreamingServer } from '../streaming/serve.js';
import type { Addresses } from '../../containers/network/types.js';

/** Where a request comes from, and what is done with it. */
export interface KubeletHandler {
  request(message: IncomingMessage, response: ServerResponse): void;
  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void;
  connect(message: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface KubeletHandlerOptions extends AllowedClients {
  readonly context: KubeletContext;
  readonly dns: ClusterDns;
  /** Address of the machine outside of the cluster; no proxy leads there. */
  readonly hostGateways: Addresses;
}

/** The node's own API: logs, exec, attach, port-forward, rules, traces. */
export function createKubeletHandler(options: KubeletHandlerOptions): KubeletHandler {
  const { context } = options;
  const routes: Readonly<Record<string, KubeletRoute>> = {
    healthz: async (_context, { response }) => sendText(response, 'ok'),
    pods: async ({ pods }, { response }) =>
      sendJson(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods.list().map(w => w.pod) }),
    containerLogs,
    rules,
    trace: trace(options.dns),
    sockets,
    logs: nodeLogs,
    stats,
    metrics,
    configz,
    volumes,
  };
  let streaming: Promise<StreamingServer> | undefined;

  const allowed = (socket: Duplex): boolean => isAllowed(socket, options);

  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = parseRequestUrl(message.url ?? '/');
    const [name = '', ...segments] = target?.segments ?? [];
    if (name !== 'healthz' && !allowed(message.socket)) throw new HttpError(401, 'Unauthorized');
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (route === undefined || target === undefined) {
      const upgradeable = ['exec', 'attach', 'portForward'].includes(name);
      throw upgradeable ? new HttpError(400, 'Upgrade request required') : new HttpError(404, '404 page not found');
    }
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client is gone')));
    await route(context, { message, response, url: target.url, segments, signal: gone.signal });
  };

  const request = (message: IncomingMessage, response: ServerResponse): void => {
    serve(message, response).catch((error: unknown) => {
      const code = error instanceof HttpError ? error.code : error instanceof URIError ? 400 : 500;
      if (code === 500) context.log.error({ err: error, url: message.url }, 'request failed');
      if (response.headersSent) return void response.destroy();
      const text = `${(error as Error).message}\n`;
      response.writeHead(code, {
        'Content-Type': 'text/plain; charset=utf-8',
        'Content-Length': Buffer.byteLength(text),
      });
      response.end(text);
    });
  };
  /** Of a connection that leaves HTTP. Whatever is thrown ends it, and nothing else. */
  const takingOver = (
    event: 'upgrade' | 'connect',
    handle: (message: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>,
  ): KubeletHandler['upgrade'] => {
    const failed = (socket: Duplex, error: unknown): void => {
      context.log.error({ err: error }, `${event} failed`);
      socket.destroy();
    };
    return (message, socket, head) => {
      socket.on('error', () => socket.destroy());
      try {
        if (!allowed(socket)) return void socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
        handle(message, socket, head).catch((error: unknown) => failed(socket, error));
      } catch (error) {
        failed(socket, error);
      }
    };
  };
  const upgrade = takingOver('upgrade', async (message, socket, head) => {
    // Framing is loaded when first used: most agents never need it.
    streaming ??= import('../streaming/serve.js').then(({ createStreamingServer }) =>
      createStreamingServer({ backend: createStreamingBackend(context.pods), clock: context.clock }),
    );
    const handle = await streaming;
    if (!handle(message, socket, head)) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });
  const connect = takingOver('connect', (message, socket, head) =>
    serveDial(message, socket, head, { network: context.network.node, hostGateways: options.hostGateways }),
  );
  return { request, upgrade, connect };
}
