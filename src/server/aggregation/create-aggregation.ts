import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { Clock } from '../../machinery/clock.js';
import type { Logger } from '../../machinery/logger.js';
import type { Turns } from '../../machinery/turns.js';
import type { Objects } from '../../api/strategy.js';
import type { ApiContext } from '../pipeline/context.js';
import type { DocumentRoute, Exchange } from '../pipeline/exchange.js';
import { splitPath } from '../pipeline/request-info.js';
import { remoteApi, type ReadonlyApiService } from './api-service.js';
import type { BackendOptions } from './backend.js';
import { keepAvailable } from './keep-available.js';
import { createRemoteDiscovery } from './keep-discovered.js';
import { createRemoteOpenApi, type RemoteOpenApi } from './keep-openapi.js';
import { apiGroupListOf, apiGroupOf, mergeDiscovery, type GroupDiscoveryList } from './merged-discovery.js';
import type { AggregationMetrics } from './metrics.js';
import { proxyToApi } from './proxy.js';
import { createApiServiceTable } from './table.js';

export interface AggregationOptions extends BackendOptions {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly turns: Turns;
  readonly metrics: AggregationMetrics;
}

/** What discovery says of groups, whoever serves them. */
export interface GroupDirectory {
  /** Moves whenever the others' answers do. */
  generation(): string;
  list(): object;
  group(name: string): object | undefined;
  merge(local: object): object;
}

/** APIs that other servers serve, under this one's roof. */
export interface Aggregation {
  readonly groups: GroupDirectory;
  readonly openApi: RemoteOpenApi;
  /** Of a path that another server answers; undefined: this one does. */
  route(path: string, context: () => ApiContext): DocumentRoute | undefined;
  /** Of an OpenAPI v3 document that another server has. */
  openApiRoute(path: string, context: () => ApiContext): DocumentRoute | undefined;
  /** Keeps what is known of the other servers, until the signal. */
  run(): Promise<void>;
}

/** The certificate that only this server shows has come back to it. */
function ownCertificate({ cert }: BackendOptions['identity']): (exchange: Exchange) => boolean {
  const own = new X509Certificate(cert).raw;
  return ({ request }) => {
    const shown = request.socket.getPeerCertificate() as Partial<PeerCertificate> | null | undefined;
    return shown?.raw?.equals(own) === true;
  };
}

export function createAggregation(options: AggregationOptions): Aggregation {
  const { objects } = options;
  const table = createApiServiceTable(objects);
  const discovery = createRemoteDiscovery(options);
  const openApi = createRemoteOpenApi(options);
  const backend = { ...options, isOwn: ownCertificate(options.identity) };

  const to = (service: ReadonlyApiService, context: () => ApiContext): DocumentRoute => ({
    kind: 'document',
    negotiated: false,
    handle: exchange => proxyToApi(exchange, service, backend, context()),
  });

  return {
    openApi,
    groups: {
      generation: () => `${table.generation()}/${discovery.generation()}`,
      list: () => apiGroupListOf(table.groups()),
      group(name) {
        const services = table.groups().find(([first]) => (first?.spec?.group ?? '') === name);
        return services && { kind: 'APIGroup', apiVersion: 'v1', ...apiGroupOf(services) };
      },
      merge: local => mergeDiscovery(local as GroupDiscoveryList, discovery.entries()),
    },
    route(path, context) {
      const [prefix = '', group = '', version = ''] = splitPath(path);
      const service = table.find(prefix, group, version);
      return service === undefined || remoteApi(service) === undefined ? undefined : to(service, context);
    },
    openApiRoute(path, context) {
      const api = openApi.owner(path);
      const service = api && table.find('apis', api.group, api.version);
      return service === undefined || remoteApi(service) === undefined ? undefined : to(service, context);
    },
    async run() {
      await Promise.all([keepAvailable(options), discovery.run(), openApi.run()]);
    },
  };
}
