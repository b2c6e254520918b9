import type { OpenApiDocuments } from '../../api/openapi/documents.js';
import { methodNotAllowedError } from '../../machinery/status.js';
import type { Answer, DocumentRoute, Exchange } from '../pipeline/exchange.js';
import { checkRoutable, JSON_TYPE } from '../negotiation/media-types.js';
import type { Configuration } from '../flow-control/configuration.js';
import { dumpRoute } from '../flow-control/dump.js';
import { BACKUP_PATH } from './backup.js';
import { createDiscoveryRoutes, type DiscoveryOptions } from './discovery.js';
import { healthRoute, type HealthCheck } from './health.js';
import type { Metrics } from './metrics.js';
import { openApiRoute, type RemoteDocuments } from './openapi.js';
import { versionInfo } from './version.js';

export interface DocumentOptions extends DiscoveryOptions {
  readonly checks: readonly HealthCheck[];
  readonly metrics: Metrics;
  /** What is being worked on and what waits; undefined: nobody waits. */
  readonly flows: Configuration | undefined;
  readonly openApi: OpenApiDocuments;
  /** What other servers have of it. */
  readonly remoteOpenApi?: RemoteDocuments;
  /** Undefined: there is none of this store. */
  readonly backup?: DocumentRoute | undefined;
  /** JSON of the OpenID discovery document and of the key set of ServiceAccount tokens; asked for with each request. */
  readonly openId: () => { readonly configuration: string; readonly keys: string };
}

const JWK_SET_TYPE = 'application/jwk-set+json';
const JSON_HEADERS = { 'Content-Type': 'application/json' };

/** Not under the router: matched as they are, without a trailing slash. */
const EXACT = new Set(['/metrics']);

/** A fixed answer to GET; other methods get 405. */
const onGet = (negotiated: boolean, answer: (exchange: Exchange) => Answer): DocumentRoute => ({
  kind: 'document',
  negotiated,
  handle(exchange) {
    if (exchange.request.method !== 'GET') throw methodNotAllowedError();
    return answer(exchange);
  },
});

const raw = (headers: Readonly<Record<string, string>>, body: string): Answer => ({
  kind: 'raw',
  code: 200,
  headers,
  body,
});

/** Everything that is not about a resource, by path. */
export function createDocuments(options: DocumentOptions): (path: string) => DocumentRoute | undefined {
  const { clock, checks, metrics, openApi, openId, catalog, flows } = options;
  const startedAt = new Date(clock.now()).toUTCString();
  const discovery = createDiscoveryRoutes(options);
  const fixed = new Map<string, DocumentRoute>([
    [
      '/version',
      onGet(false, ({ request }) => {
        checkRoutable(request.raw.headers.accept, [JSON_TYPE]);
        return raw(JSON_HEADERS, JSON.stringify(versionInfo, undefined, 2));
      }),
    ],
    [
      '/metrics',
      onGet(false, () => raw({ 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }, metrics.render())),
    ],
    [
      '/.well-known/openid-configuration',
      onGet(false, () => raw({ ...JSON_HEADERS, 'Cache-Control': 'public, max-age=3600' }, openId().configuration)),
    ],
    [
      '/openid/v1/jwks',
      onGet(false, ({ request }) => {
        checkRoutable(request.raw.headers.accept, [JWK_SET_TYPE]);
        return raw({ 'Content-Type': JWK_SET_TYPE, 'Cache-Control': 'public, max-age=3600' }, openId().keys);
      }),
    ],
  ]);
  const paths = (): string[] => {
    const groups = new Set(catalog.groupVersions().map(gv => gv.group));
    const found = [
      ...fixed.keys(),
      '/api',
      '/apis',
      '/apis/',
      '/openapi/v2',
      '/openapi/v3',
      '/openapi/v3/',
      ...[...groups].filter(g => g !== '').map(g => `/apis/${g}`),
      ...catalog
        .groupVersions()
        .map(gv => (gv.group === '' ? `/api/${gv.version}` : `/apis/${gv.group}/${gv.version}`)),
      ...['healthz', 'livez', 'readyz'].flatMap(endpoint => [
        `/${endpoint}`,
        ...checks.filter(c => c.endpoints.includes(endpoint)).map(c => `/${endpoint}/${c.name}`),
      ]),
    ];
    return [...new Set(found)].sort();
  };
  const index: DocumentRoute = {
    kind: 'document',
    negotiated: false,
    handle: () => raw(JSON_HEADERS, JSON.stringify({ paths: paths() }, undefined, 2)),
  };

  return path => {
    if (path === '/' || path === '/index.html') return index;
    const trimmed = path.replace(/\/$/, '');
    return (
      (EXACT.has(trimmed) ? fixed.get(path) : fixed.get(trimmed)) ??
      healthRoute(path, checks) ??
      (flows === undefined ? undefined : dumpRoute(trimmed, flows)) ??
      (path === BACKUP_PATH ? options.backup : undefined) ??
      openApiRoute(path, openApi, () => clock.now(), startedAt, options.remoteOpenApi) ??
      discovery(trimmed)
    );
  };
}
