import type { OutgoingHttpHeaders } from 'node:http';
import { isTooDeep } from '../../machinery/json-depth.js';
import { joinHostPort } from '../../machinery/ip.js';
import type { Objects, UserInfo } from '../../api/strategy.js';
import { resolveService } from '../dial/resolve-service.js';
import { DialError } from '../dial/dial-problem.js';
import { isStatusError } from '../../machinery/status.js';
import type { Dialer, FetchAnswer, TlsSettings } from '../dial/types.js';
import type { RemoteApi } from './api-service.js';
import { userHeaders } from './user-headers.js';

/** What a server's documents may be long: they are parsed in one go. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

export interface BackendOptions {
  readonly objects: Pick<Objects, 'get' | 'list'>;
  readonly dialer: Pick<Dialer, 'fetch' | 'open'>;
  /** Shown to every aggregated API, PEM. */
  readonly identity: { readonly cert: string; readonly key: string };
  /** --enable-aggregator-routing */
  readonly toEndpoints: boolean;
}

/** No server can be named. */
export class ResolveError extends Error {
  override readonly name = 'ResolveError';
}

export const tlsOf = ({ service, ca, insecure }: RemoteApi, identity: BackendOptions['identity']): TlsSettings => ({
  serverName: `${service.name}.${service.namespace}.svc`,
  insecure,
  identity,
  ...(ca === undefined ? {} : { ca }),
});

export const targetOf = ({ service }: RemoteApi) => ({ kind: 'service' as const, ...service });

/**
 * "host:port" of a server as upstream's resolvers name it: the Service's ClusterIP, one of its endpoints, or what it is
 * another name for. @throws ResolveError
 */
export function hostOf({ service }: RemoteApi, { objects, toEndpoints }: BackendOptions): string {
  try {
    const destination = resolveService(objects, service, service.port);
    if (destination.kind === 'external') {
      if (toEndpoints) throw new ResolveError('unsupported service type "ExternalName"');
      return joinHostPort(destination.host, destination.port);
    }
    if (!toEndpoints) return destination.shown;
    const [endpoint] = destination.endpoints;
    if (endpoint === undefined)
      throw new ResolveError(`no endpoints available for service ${JSON.stringify(service.name)}`);
    return joinHostPort(endpoint.address, endpoint.port);
  } catch (error) {
    if (error instanceof DialError || isStatusError(error)) throw new ResolveError(error.message, { cause: error });
    throw error;
  }
}

/** The document in an answer. @throws SyntaxError, Error for one that nobody could walk through */
export function parsed({ body }: FetchAnswer): unknown {
  if (isTooDeep(body)) throw new Error('the document is nested too deep');
  return JSON.parse(body.toString('utf8'));
}

/** A document of an aggregated server, asked for by this server itself. @throws ResolveError, DialError, BodyError */
export function fetchDocument(
  api: RemoteApi,
  asked: {
    readonly path: string;
    readonly user: UserInfo;
    readonly headers?: OutgoingHttpHeaders;
    /** Whoever answers is believed. */
    readonly anybody?: boolean;
    readonly signal: AbortSignal;
  },
  options: BackendOptions,
): Promise<FetchAnswer> {
  const { path, user, signal } = asked;
  const tls = tlsOf(api, options.identity);
  return options.dialer.fetch(targetOf(api), {
    method: 'GET',
    path,
    headers: { host: hostOf(api, options), ...asked.headers, ...userHeaders(user) },
    tls: asked.anybody === true ? { serverName: tls.serverName, insecure: true, identity: options.identity } : tls,
    maxBytes: MAX_DOCUMENT_BYTES,
    signal,
  });
}
