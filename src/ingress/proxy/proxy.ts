import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../machinery/clock.js';
import { hostName } from '../routing/host-name.js';
import { queryOf, requestPath, type RequestPath } from '../routing/request-path.js';
import type { BackendPort, Route } from '../routing/route.js';
import type { Found, RouteTable } from '../routing/route-table.js';
import { accessLine } from './access-log.js';
import { answer } from './answers.js';
import { createChooser, type Endpoint } from './choose-backend.js';
import type { Dial } from './dial.js';
import { forward, type Outcome } from './forward.js';
import { valuesOf } from './headers.js';
import { changedPath, redirectLocation, urlHost } from './locations.js';

export interface ProxyOptions {
  /** What holds for a port at this moment. */
  readonly routes: (port: number) => RouteTable<Route> | undefined;
  readonly endpointsOf: (port: BackendPort) => readonly Endpoint[];
  readonly dial: Dial;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** A line for each request. */
  readonly log: (line: string) => void;
}

/** The port that clients come to. */
export interface Door {
  readonly port: number;
  readonly scheme: 'http' | 'https';
}

/** Who came, and where. */
export interface Visit extends Door {
  /** The client's address. */
  readonly client: string;
}

export interface Proxy {
  handle(request: IncomingMessage, response: ServerResponse, door: Visit): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, door: Visit): void;
}

/** As nginx's lingering_time. */
const LINGER_MS = 30_000;

interface Asked {
  readonly host: string;
  readonly path: RequestPath;
}

/** What a client asks for; undefined: nobody can tell, or two would tell differently. */
function readAsked(request: IncomingMessage): Asked | undefined {
  const hosts = valuesOf(request.rawHeaders, 'host');
  if (hosts.length !== 1 || valuesOf(request.rawHeaders, 'content-length').length > 1) return undefined;
  const host = hostName(hosts[0] ?? '');
  const path = requestPath(request.url ?? '');
  return host === undefined || path === undefined ? undefined : { host, path };
}

/** Finds whose a request is, and sends it there. */
export function createProxy(options: ProxyOptions): Proxy {
  const { routes, endpointsOf, clock, random, log } = options;
  const chooser = createChooser(endpointsOf, random);
  const newId = (): string =>
    Array.from({ length: 4 }, () =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('');

  const find = (request: IncomingMessage, { host, path }: Asked, { port }: Door): Found<Route> | undefined => {
    let parameters: URLSearchParams | undefined;
    return routes(port)?.find({
      host,
      path,
      method: request.method ?? '',
      header: name => {
        const value = request.headers[name];
        return typeof value === 'string' ? value : value?.join(', ');
      },
      parameter: name => (parameters ??= new URLSearchParams(queryOf(request.url ?? ''))).get(name) ?? undefined,
    });
  };

  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
    door: Visit,
    upgrade: { readonly socket: Duplex; readonly head: Buffer } | undefined,
  ): Promise<{ readonly found?: Route; readonly outcome?: Outcome }> => {
    const refuse = (status: number): object => (answer(response, status), {});
    if (request.method === 'TRACE') return refuse(405);
    const asked = readAsked(request);
    if (asked === undefined) return (answer(response, 400, [], true), {});
    const found = find(request, asked, door);
    if (found === undefined) return refuse(404);
    const { route, prefix } = found;
    const url = request.url ?? '/';
    const redirected = (status: number, location: string): { found: Route } => {
      answer(response, status, [['Location', location]]);
      return { found: route };
    };
    if (route.onlySecure === true && door.scheme === 'http')
      return redirected(308, `https://${urlHost(asked.host)}${url}`);
    const pathOf = (change: Parameters<typeof changedPath>[2] | undefined): string =>
      change === undefined ? url : changedPath(asked.path, prefix, change) + queryOf(url);
    if (route.redirect !== undefined) {
      const location = redirectLocation(route.redirect, { ...door, host: asked.host }, pathOf(route.redirect.path));
      return redirected(route.redirect.status, location);
    }
    const chosen = chooser.choose(route.backends);
    if (chosen === undefined) return (answer(response, route.withoutBackend), { found: route });
    const host = request.headers.host ?? '';
    const outcome = await forward(
      {
        ...{ request, response, route, chosen },
        target: pathOf(route.rewrite?.path),
        host: route.rewrite?.host ?? host,
        forwarded: { host, ...door, requestId: newId() },
        ...(upgrade === undefined ? {} : { upgrade }),
      },
      options,
    );
    return { found: route, outcome };
  };
  const run = (
    request: IncomingMessage,
    response: ServerResponse,
    door: Visit,
    upgrade?: { readonly socket: Duplex; readonly head: Buffer },
  ): void => {
    const began = clock.monotonic();
    const { client } = door;
    serve(request, response, door, upgrade)
      .then(
        ({ found, outcome }) => {
          const times = { now: clock.now(), ms: clock.monotonic() - began };
          log(accessLine({ request, response, client, ...times, found, outcome }));
        },
        (error: Error) => {
          log(`error: ${error.message}`);
          answer(response, 500);
        },
      )
      .finally(() => linger(request));
  };
  /** Who still writes reads no answer: what comes is thrown away, for a while. */
  const linger = (request: IncomingMessage): void => {
    if (request.complete || request.destroyed) return;
    const cancel = clock.after(LINGER_MS, () => request.destroy(), { unref: true });
    request.once('close', cancel).resume();
  };
  return {
    handle: run,
    upgrade(request, socket, head, door) {
      // What comes is no request of this connection any longer; what is answered is its last answer.
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket as never);
      response.once('finish', () => socket.end());
      socket.on('drain', () => response.emit('drain'));
      socket.on('error', () => socket.destroy());
      // A proxy that went on in plain HTTP/2 would see nothing of what is asked then.
      const isPlainHttp2 = (request.headers.upgrade ?? '')
        .toLowerCase()
        .split(',')
        .some(name => name.trim() === 'h2c');
      if (!isPlainHttp2) return run(request, response, door, { socket, head });
      const hasBody = ['transfer-encoding', 'content-length'].some(name => request.headers[name] !== undefined);
      if (hasBody || head.length > 0) return answer(response, 400, [], true);
      run(request, response, door);
    },
  };
}
