import type { Turns } from '../../machinery/turns.js';
import type { MutableCatalog } from '../../api/create-catalog.js';
import { createOpenApiDocuments } from '../../api/openapi/documents.js';
import { withRemoteOpenApi } from '../aggregation/merged-openapi.js';
import { oidcDocuments, type TokenIssuer } from '../auth/token/issuer.js';
import { createBackupRoute } from '../endpoints/backup.js';
import { createDocuments } from '../endpoints/documents.js';
import { healthChecks } from '../endpoints/health.js';
import type { Metrics } from '../endpoints/metrics.js';
import type { FlowControl } from '../flow-control/flow-control.js';
import type { ApiContext } from '../pipeline/context.js';
import type { DocumentRoute } from '../pipeline/exchange.js';
import type { ComposedAggregation } from './aggregation.js';
import type { Lifetime } from './lifetime.js';
import type { Settings } from './settings.js';

export interface DocumentParts {
  readonly catalog: MutableCatalog;
  readonly turns: Turns;
  readonly aggregation: ComposedAggregation;
  readonly metrics: Metrics;
  readonly flowControl: FlowControl | undefined;
  readonly lifetime: Pick<Lifetime, 'ready' | 'toldToStop' | 'ending'>;
  readonly reloadsEncryption: boolean;
  readonly issuer: TokenIssuer;
  /** host:port under which the server is known. */
  readonly serverAddress: () => string;
  /** What requests for others' documents are served with. */
  readonly context: () => ApiContext;
}

/** What is not about a resource: discovery, OpenAPI, health, metrics, OpenID. */
export function composeDocuments(
  { clock, store }: Settings,
  parts: DocumentParts,
): (path: string) => DocumentRoute | undefined {
  const { catalog, turns, aggregation, metrics, flowControl, lifetime, serverAddress } = parts;
  const { openApi } = aggregation;
  return createDocuments({
    clock,
    catalog,
    metrics,
    serverAddress,
    groups: aggregation.groups,
    onAggregated: aggregation.aggregated,
    remoteOpenApi: {
      generation: () => openApi.generation(),
      entries: () => openApi.entries(),
      route: path => aggregation.openApiRoute(path, parts.context),
      converted: path => openApi.converted(path),
    },
    flows: flowControl?.configuration,
    backup: createBackupRoute({ store, clock, stopping: lifetime.ending }),
    checks: healthChecks({
      store,
      ready: lifetime.ready,
      stopping: lifetime.toldToStop,
      reloadsEncryption: parts.reloadsEncryption,
    }),
    openApi: withRemoteOpenApi(createOpenApiDocuments(catalog, turns), openApi, turns),
    // The port is known once the server listens.
    openId: () => oidcDocuments(parts.issuer, `https://${serverAddress()}`),
  });
}
