import type { Clock } from '../../machinery/clock.js';
import { methodNotAllowedError } from '../../machinery/status.js';
import type { Catalog } from '../../api/catalog.js';
import {
  aggregatedCore,
  aggregatedGroups,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
} from '../../api/discovery.js';
import type { GroupDirectory } from '../aggregation/create-aggregation.js';
import { parseAccept } from '../negotiation/accept.js';
import { ENCODINGS, negotiate, notAcceptableError, PLAIN } from '../negotiation/media-types.js';
import type { Answer, DocumentRoute, Exchange } from '../pipeline/exchange.js';
import { splitPath } from '../pipeline/request-info.js';
import { sha512 } from './openapi.js';

export interface DiscoveryOptions {
  readonly clock: Clock;
  readonly catalog: Catalog;
  /** host:port as /api advertises it. */
  readonly serverAddress: () => string;
  /** Groups of all servers; default: there is only this one. */
  readonly groups?: GroupDirectory;
  /** An aggregated document has been made. */
  readonly onAggregated?: () => void;
}

interface Cached {
  readonly generation: string;
  readonly body: string;
  readonly etag: string;
}

/** Versions of apidiscovery.k8s.io that are served; v2beta1 ended with Kubernetes 1.35. */
const AGGREGATED_VERSIONS = ['v2'] as const;
type AggregatedVersion = (typeof AGGREGATED_VERSIONS)[number];

/**
 * Whether the first clause of Accept that can be met asks for aggregated discovery (k8s.io/apiserver
 * pkg/endpoints/discovery/aggregated/wrapper.go).
 */
function wantsAggregated(accept: string | undefined): AggregatedVersion | undefined {
  for (const clause of parseAccept(accept ?? '')) {
    const { params } = clause;
    if (params.get('g') === 'apidiscovery.k8s.io' && params.get('as') === 'APIGroupDiscoveryList') {
      const version = AGGREGATED_VERSIONS.find(v => v === params.get('v'));
      if (version !== undefined && clause.type === 'application' && clause.subtype === 'json') return version;
    } else if (!params.has('as')) {
      return undefined;
    }
  }
  return undefined;
}

/** A document that Accept may also ask for as YAML. */
const negotiated = (exchange: Exchange, document: object): Answer => {
  const media = negotiate(exchange.request.raw.headers.accept, PLAIN);
  if (media === undefined) throw notAcceptableError(ENCODINGS);
  exchange.media = media;
  return { kind: 'document', code: 200, document };
};

/** Documents under /api and /apis; undefined for all other paths. Built once per catalog generation. */
export function createDiscoveryRoutes(options: DiscoveryOptions): (path: string) => DocumentRoute | undefined {
  const { catalog, groups: directory } = options;
  const aggregated = new Map<string, Cached>();

  const aggregatedBody = (root: 'core' | 'groups', version: AggregatedVersion): Cached => {
    const key = `${root}/${version}`;
    const known = aggregated.get(key);
    const generation = `${catalog.generation}/${directory?.generation() ?? ''}`;
    if (known?.generation === generation) return known;
    const local = root === 'core' ? aggregatedCore(catalog, version) : aggregatedGroups(catalog, version);
    const document = root === 'core' ? local : (directory?.merge(local) ?? local);
    const body = `${JSON.stringify(document)}\n`;
    const fresh = { generation, body, etag: `"${sha512(body)}"` };
    aggregated.set(key, fresh);
    options.onAggregated?.();
    return fresh;
  };

  const root = (which: 'core' | 'groups', anyMethod: boolean, document: () => object): DocumentRoute => ({
    kind: 'document',
    negotiated: !anyMethod,
    handle(exchange) {
      const { raw, method } = exchange.request;
      if (!anyMethod && method !== 'GET') throw methodNotAllowedError();
      const version = wantsAggregated(raw.headers.accept);
      if (version === undefined) return negotiated(exchange, document());
      const { body, etag } = aggregatedBody(which, version);
      const headers = { Etag: etag, Vary: 'Accept', 'Cache-Control': 'public' };
      if (raw.headers['if-none-match'] === etag) return { kind: 'raw', code: 304, headers, body: '' };
      const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
      return { kind: 'raw', code: 200, headers: { ...headers, 'Content-Type': contentType }, body };
    },
  });

  const plain = (anyMethod: boolean, document: () => object): DocumentRoute => ({
    kind: 'document',
    negotiated: !anyMethod,
    handle(exchange) {
      if (!anyMethod && exchange.request.method !== 'GET') throw methodNotAllowedError();
      return negotiated(exchange, document());
    },
  });

  const core = root('core', false, () => apiVersions(options.serverAddress()));
  // The aggregator answers /apis and /apis/{group} itself, whatever the method.
  const groups = root('groups', true, () => directory?.list() ?? apiGroupList(catalog));

  return path => {
    const [prefix, first, second, ...rest] = splitPath(path);
    if (rest.length > 0) return undefined;
    if (prefix === 'api') {
      if (first === undefined) return core;
      if (second !== undefined || !catalog.groupVersions().some(gv => gv.group === '' && gv.version === first))
        return undefined;
      return plain(false, () => apiResourceList(catalog, '', first));
    }
    if (prefix !== 'apis') return undefined;
    if (first === undefined) return groups;
    const listed = second === undefined ? directory?.group(first) : undefined;
    if (listed !== undefined) return plain(true, () => listed);
    const versions = catalog.groupVersions().filter(gv => gv.group === first && first !== '');
    if (versions.length === 0) return undefined;
    if (second === undefined) return plain(true, () => apiGroup(catalog, first) ?? {});
    if (!versions.some(gv => gv.version === second)) return undefined;
    return plain(false, () => apiResourceList(catalog, first, second));
  };
}
