import type { IncomingMessage, RequestListener } from 'node:http';
import type { Process, Program } from '../../process.js';
import { readBody } from '../agnhost/http.js';
import { serveHttp } from '../http-server.js';
import { notSimulated } from '../not-simulated.js';
import type { KnownImage } from '../types.js';

/** A request as a route sees it. */
export interface Asked {
  readonly process: Process;
  readonly request: IncomingMessage;
  readonly method: string;
  /** Decoded; always begins with a slash. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of a request that may have one; up to 1 MiB. */
  readonly body: Buffer;
}

export interface Answer {
  /** Default: 200. */
  readonly status?: number;
  /** Default: text/plain. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export type Route = (asked: Asked) => Answer | Promise<Answer>;

/** A server whose answers are data. */
export interface Served extends Pick<KnownImage, 'names' | 'about'> {
  /** The program of the entry point. */
  readonly program: string;
  readonly port: number;
  /** Other ports that answer the same. */
  readonly morePorts?: readonly number[];
  /** Where its arguments or environment say that it listens; undefined: as usual. */
  readonly listens?: (process: Process) => number | undefined;
  /** What it says when it has started. */
  readonly says?: (port: number) => string;
  /** By path; one that ends with "/" is for all below it. "" is asked last. */
  readonly routes: Readonly<Record<string, Route>>;
  /** An image without a shell. */
  readonly bare?: boolean;
  readonly user?: number;
  /** The same server under other names, by the word that must follow to start it; "" is none. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly cmd?: readonly string[];
}

export const text = (body: string, status = 200): Answer => ({ status, body });
export const html = (title: string): Answer => ({
  type: 'text/html; charset=utf-8',
  body: `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1><p>Simulated.</p></body></html>\n`,
});
export const json = (value: unknown, status = 200): Answer => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value)}\n`,
});
export const redirect = (to: string): Answer => ({ status: 302, headers: { Location: to }, body: '' });

const NOT_FOUND: Answer = { status: 404, body: '404 page not found\n' };

/** The route of a path: its own, that of the longest folder above it, or the one for the rest. */
export function routeOf(routes: Served['routes'], path: string): Route | undefined {
  if (path !== '' && Object.hasOwn(routes, path)) return routes[path];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const above = path.slice(0, at + 1);
    if (Object.hasOwn(routes, above)) return routes[above];
  }
  return routes[''];
}

/** An absurd path has no route below any folder. */
const MAX_PATH = 1024;
/** As much of a body as is looked at. */
const MAX_BODY = 1024 * 1024;

async function answer(process: Process, routes: Served['routes'], request: IncomingMessage): Promise<Answer> {
  const [rawPath = '/', ...rest] = (request.url ?? '/').split('?');
  const method = request.method ?? 'GET';
  const path = decoded(rawPath.slice(0, MAX_PATH));
  const route = routeOf(routes, path);
  if (route === undefined) return NOT_FOUND;
  const body = method === 'GET' || method === 'HEAD' ? Buffer.alloc(0) : await readBody(request, MAX_BODY);
  return route({ process, request, method, path, query: new URLSearchParams(rest.join('?')), body });
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}

type Routed = Pick<Served, 'port' | 'morePorts' | 'listens' | 'says' | 'routes'>;

/** Serves the routes until `until`, or it is told to stop. */
export async function serveRoutes(
  process: Process,
  { port, morePorts = [], listens, says, routes }: Routed,
  until?: Promise<number>,
): Promise<number> {
  const main = listens?.(process) ?? port;
  if (says !== undefined) await process.stdout.write(`${says(main)}\n`);
  const handler: RequestListener = (request, response) => {
    answer(process, routes, request).then(
      ({ status = 200, type = 'text/plain; charset=utf-8', headers = {}, body }) => {
        const bytes = Buffer.from(body);
        response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length, ...headers });
        response.end(request.method === 'HEAD' ? undefined : bytes);
      },
      () => response.destroy(),
    );
  };
  return serveHttp(process, [main, ...morePorts], handler, until === undefined ? {} : { until });
}

export const servingProgram =
  (routed: Routed): Program =>
  process =>
    serveRoutes(process, routed);

const startedBy =
  (word: string, serve: Program): Program =>
  process =>
    word === '' || process.args[1] === word
      ? serve(process)
      : notSimulated(process, process.args[1] ?? 'without a command');

export function servedImage(served: Served): KnownImage {
  const { names, about, program, port, morePorts = [], bare = false, user, aliases = {}, cmd = [] } = served;
  const serve = servingProgram(served);
  return {
    names,
    about,
    ports: [port, ...morePorts].map(String),
    entrypoint: [program],
    cmd,
    programs: {
      [program.slice(program.lastIndexOf('/') + 1)]: serve,
      ...Object.fromEntries(Object.entries(aliases).map(([name, word]) => [name, startedBy(word, serve)])),
    },
    userland: !bare,
    ...(user === undefined ? {} : { user }),
  };
}

/** The value of -name VALUE, --name VALUE or --name=VALUE; the last one counts. */
export function flagOf({ args }: Process, name: string): string | undefined {
  for (let i = args.length - 1; i > 0; i--) {
    const word = (args[i] ?? '').replace(/^--?/, '');
    if (word === args[i]) continue;
    if (word === name) return args[i + 1];
    if (word.startsWith(`${name}=`)) return word.slice(name.length + 1);
  }
  return undefined;
}

/** The port of "8080", ":8080" or "0.0.0.0:8080". */
export function portOf(address: string | undefined): number | undefined {
  const port = Number(address?.slice(address.lastIndexOf(':') + 1));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** Prometheus' text of a few numbers. */
export const metrics = (values: Readonly<Record<string, number>>): Answer => ({
  type: 'text/plain; version=0.0.4; charset=utf-8',
  body: Object.entries(values)
    .map(([name, value]) => `# TYPE ${name} gauge\n${name} ${value}\n`)
    .join(''),
});

/** The status of ".../503". */
export function statusAnswer(path: string): Answer {
  const status = Number(/\/([1-5]\d\d)$/.exec(path)?.[1] ?? '400');
  // No HTTP answer may be one that only announces another.
  return json({ status }, status < 200 ? 400 : status);
}
