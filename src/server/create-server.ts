import { hostname } from 'node:os';
import { setMaxListeners } from 'node:events';
import type { AddressInfo } from 'node:net';
import { realClock, type Clock } from '../machinery/clock.js';
import { SILENT } from '../machinery/logger.js';
import { realRandom } from '../machinery/random.js';
import { createTimeouts } from '../machinery/timeouts.js';
import { createTurns } from '../machinery/turns.js';
import { createCodec } from '../api/codec/create-codec.js';
import { createProtobufAnswers } from '../api/codec/protobuf.js';
import { createCatalog } from '../api/create-catalog.js';
import { runEventTtl } from './bootstrap/event-ttl.js';
import { loadApi } from '../api/load.js';
import { createOpenApiDocuments } from '../api/openapi/documents.js';
import { resourceId } from '../api/resource-info.js';
import type { Objects } from '../api/strategy.js';
import { bootstrapPolicy } from './auth/policy/bootstrap-policy.js';
import { STANDARD_HEADERS, type RequestHeaderOptions } from './auth/authn/request-header.js';
import { rbacEscalationCheck } from './auth/rbac/escalation.js';
import { oidcDocuments } from './auth/token/issuer.js';
import { keepAuthenticationTrust } from './bootstrap/authentication-trust.js';
import { bootstrap, keepNamespaces, publishAddress } from './bootstrap/bootstrap.js';
import { selfContext, type BootstrapOptions } from './bootstrap/ensure.js';
import { keepFlowControl, MANDATORY_FLOW_CONTROL } from './bootstrap/flow-control.js';
import { keepServiceCidr } from './bootstrap/service-cidr.js';
import { createConversionWebhook } from './conversion/conversion-webhook.js';
import { createConversionMetrics } from './conversion/metrics.js';
import { createCustomResources } from './custom-resources/custom-resources.js';
import { createDialer } from './dial/create-dialer.js';
import { createKubeletConnection } from './dial/kubelet-connection.js';
import { createDocuments } from './endpoints/documents.js';
import { healthChecks } from './endpoints/health.js';
import { counter } from './endpoints/metric-families.js';
import { createMetrics } from './endpoints/metrics.js';
import { createKeptStore } from './encryption/kept-store.js';
import { createReloadMetrics, serverIdentity } from './encryption/reload-metrics.js';
import { keepEncryptionReloaded } from './encryption/reload.js';
import { createFollowingFlowControl } from './flow-control/create.js';
import { createHttpServer, type HttpServer } from './http-server.js';
import { FRONT_PROXY_CLIENT, type ApiServer, type ApiServerOptions } from './options.js';
import { createInFlight } from './pipeline/in-flight.js';
import type { ApiContext } from './pipeline/context.js';
import { STEPS, stepsWith } from './pipeline/steps.js';
import { createUnderWay } from './pipeline/under-way.js';
import { createRegistries } from './registry/create-registries.js';
import { Slabs } from './responses/slabs.js';
import { createBacklog } from './watch-stream/backlog.js';
import { createSecurity, type Security } from './security.js';
import { firstServiceAddresses, serviceRanges } from './service-range.js';
import { createOffLoopValidator } from './validation/off-loop.js';
import { createServerStrategies } from './strategies.js';
import { createAdmission } from './admission/index.js';
import { createEquivalents } from './admission/matching/equivalents.js';
import { createCompileConditions } from './admission/expressions/match-conditions.js';
import { createPolicyMetrics } from './admission/policies/metrics.js';
import { createHookMetrics } from './admission/webhooks/metrics.js';
import { createVersions } from './admission/webhooks/versions.js';
import { createWebhookClient } from './webhook-client/call.js';
import { createAggregation } from './aggregation/create-aggregation.js';
import { createAggregationMetrics } from './aggregation/metrics.js';
import { withRemoteOpenApi } from './aggregation/merged-openapi.js';
import { createAuditor } from './audit/auditor.js';
import { DEFAULT_AUDIT_POLICY } from './audit/policy.js';

const DEFAULTS = {
  bindAddress: '127.0.0.1',
  securePort: 0,
  advertiseAddress: '172.18.0.1',
  serviceClusterIpRange: '10.96.0.0/16',
  serviceNodePortRange: { first: 30000, last: 32767 },
  anonymousAuth: true,
  authorizationModes: ['Node', 'RBAC'],
  serviceAccountIssuer: 'https://kubernetes.default.svc.cluster.local',
  inFlightLimits: { reading: 400, writing: 200 },
  priorityAndFairness: true,
  shutdownDelayMs: 0,
} as const;

/** Whose certificates name users. */
const clientCaOf = ({ pki, clientCa }: ApiServerOptions): string =>
  clientCa === undefined ? pki.ca.cert : `${pki.ca.cert}\n${clientCa}`;

const requestHeaderOf = ({ pki, requestHeader }: ApiServerOptions): RequestHeaderOptions =>
  requestHeader ?? {
    ...STANDARD_HEADERS,
    // kubeadm names none; a front proxy that is told of none sends none.
    uidHeaders: [],
    clientCa: pki.frontProxyCa.cert,
    allowedNames: [FRONT_PROXY_CLIENT],
  };

/** A stopping server waits for its last requests as long as any of them may take. */
const DRAIN_MS = 60_000;

function secure(options: ApiServerOptions, clock: Clock, objects: () => Objects): Security {
  const { pki, tokens = new Map() } = options;
  return createSecurity({
    clock,
    clientCa: clientCaOf(options),
    requestHeader: requestHeaderOf(options),
    tokens,
    objects,
    modes: options.authorizationModes ?? DEFAULTS.authorizationModes,
    anonymous: options.anonymousAuth ?? DEFAULTS.anonymousAuth,
    issuer: options.serviceAccountIssuer ?? DEFAULTS.serviceAccountIssuer,
    serviceAccountKey: pki.serviceAccountKey,
    serviceAccountVerifyingKeys: pki.serviceAccountVerifyingKeys,
    apiAudiences: options.apiAudiences,
  });
}

/**
 * An API server over a store, ready to listen. Everything it is made of is put together here and nowhere else.
 * @throws StorageError, PkiError, RangeError for service ranges that are none
 */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, pki, clock = realClock, random = realRandom, log = SILENT } = options;
  const settings = { ...DEFAULTS, ...options };
  /** In the order in which they abort: it has been told to stop; watches end; all that works in the background ends. */
  const [toldToStop, ending, stopping] = [new AbortController(), new AbortController(), new AbortController()];
  const { signal } = stopping;
  // Every watch listens to it: thousands are no leak.
  setMaxListeners(0, ending.signal);
  setMaxListeners(0, signal);
  const underWay = createUnderWay(clock);
  const objects = (): Objects => registries.objects;
  const api = loadApi();
  const security = secure(options, clock, objects);
  const serviceCidrs = serviceRanges(settings.serviceClusterIpRange).map(({ text }) => text);
  const strategies = createServerStrategies(security, clock, {
    serviceCidrs,
    nodePortRange: settings.serviceNodePortRange,
    random: n => random.below(n),
    uuid: () => random.uuid(),
  });
  const catalog = createCatalog(strategies, api);
  const turns = createTurns(clock);
  // What a server is made of is put together in several turns, with others between them.
  await turns.next();
  const reads: Pick<Objects, 'get' | 'list'> = {
    get: (resource, key) => objects().get(resource, key),
    list: (resource, namespace) => objects().list(resource, namespace),
  };
  let port = settings.securePort;
  let ready = false;
  const dialer = createDialer({
    objects: reads,
    kubelet: createKubeletConnection(reads, {
      ca: pki.ca.cert,
      cert: pki.kubeletClient.cert,
      key: pki.kubeletClient.key,
    }),
    clock,
    random: n => random.below(n),
    machine: [settings.advertiseAddress],
    own: () => ({ address: settings.bindAddress, port }),
  });
  const call = createWebhookClient({ dialer, clock, turns });
  const hookMetrics = createHookMetrics();
  const policyMetrics = createPolicyMetrics();
  const conversionMetrics = createConversionMetrics(clock);
  const equivalents = createEquivalents(catalog);
  const versions = createVersions(catalog);
  const kept = createKeptStore(store, catalog, options.encryption);
  const registries = await createRegistries({
    store: kept.store,
    catalog,
    clock,
    random,
    turns,
    signal,
    validate: createOffLoopValidator({ clock, turns, signal }),
    admission: [
      ...createAdmission({
        random: n => random.below(n),
        authorizer: security.authorizer,
        webhooks: {
          catalog,
          turns,
          call,
          uuid: () => random.uuid(),
          equivalents,
          versions,
          metrics: hookMetrics,
          compileConditions: createCompileConditions(security.authorizer, turns),
          ready: () => ready,
        },
        policies: {
          catalog,
          turns,
          authorizer: security.authorizer,
          equivalents,
          versions,
          clock,
          metrics: policyMetrics,
        },
      }).filter(plugin => options.disabledAdmission?.includes(plugin.name) !== true),
      rbacEscalationCheck(security.authorizer, security.resolver),
    ],
    onError: (err, what) => log.error({ err }, `${what} failed`),
  });

  await turns.next();
  const address = {
    serviceIp: firstServiceAddresses(settings.serviceClusterIpRange)[0] ?? '',
    advertiseAddress: settings.advertiseAddress,
  };
  const { reading, writing } = settings.inFlightLimits;
  const flowControl = settings.priorityAndFairness
    ? createFollowingFlowControl({
        registries,
        catalog,
        clock,
        log,
        signal,
        mandatory: MANDATORY_FLOW_CONTROL,
        serverLimit: reading + writing,
      })
    : undefined;
  const stored = function* (): Generator<readonly [string, number]> {
    for (const entry of catalog.entries())
      if (entry.info.stored) yield [resourceId(entry.info), registries.count(entry)];
  };
  const aggregationMetrics = createAggregationMetrics(registries.objects);
  const aggregations = counter(
    'aggregator_discovery_aggregation_count_total',
    'Counter of number of times discovery was aggregated',
  );
  const { encryptionFile } = options;
  const reloadMetrics = createReloadMetrics(clock, serverIdentity(hostname()));
  const metrics = createMetrics(clock, stored, [
    ...hookMetrics.families,
    ...policyMetrics.families,
    ...conversionMetrics.families,
    ...aggregationMetrics.families,
    aggregations,
    ...(encryptionFile === undefined ? [] : reloadMetrics.families),
    ...(flowControl?.metrics.families ?? []),
  ]);
  const oidc = oidcDocuments(security.issuer, `https://${settings.advertiseAddress}:${port}`);
  const aggregation = createAggregation({
    objects: registries.objects,
    dialer,
    identity: options.proxyClient ?? pki.frontProxyClient,
    toEndpoints: options.aggregatorRouting ?? false,
    clock,
    log,
    signal,
    turns,
    metrics: aggregationMetrics,
  });
  const documents = createDocuments({
    clock,
    catalog,
    groups: aggregation.groups,
    onAggregated: () => aggregations.add({}),
    remoteOpenApi: {
      generation: () => aggregation.openApi.generation(),
      entries: () => aggregation.openApi.entries(),
      route: path => aggregation.openApiRoute(path, () => context),
      converted: path => aggregation.openApi.converted(path),
    },
    metrics,
    flows: flowControl?.configuration,
    serverAddress: () => `${settings.advertiseAddress}:${port}`,
    checks: healthChecks({
      store,
      ready: () => ready,
      stopping: toldToStop.signal,
      reloadsEncryption: encryptionFile !== undefined,
    }),
    openApi: withRemoteOpenApi(createOpenApiDocuments(catalog, turns), aggregation.openApi, turns),
    openId: oidc,
  });
  const { interpose } = options;
  const context: ApiContext = {
    steps: interpose === undefined ? STEPS : stepsWith({ name: 'interposed', run: interpose }),
    clock,
    log,
    catalog,
    elsewhere: path => aggregation.route(path, () => context),
    documents,
    metrics,
    flowControl,
    inFlight: createInFlight(settings.inFlightLimits),
    timeouts: createTimeouts(clock),
    turns,
    backlog: createBacklog(clock),
    objects: registries.objects,
    codec: createCodec(api),
    protobuf: createProtobufAnswers(api),
    audit: options.audit && createAuditor(options.audit.policy ?? DEFAULT_AUDIT_POLICY, options.audit.sink, clock),
    dialer,
    underWay,
    slabs: new Slabs(),
    stopping: ending.signal,
    authentication: security.authentication,
    authorizer: security.authorizer,
    registryOf: entry => registries.get(entry),
    acceptWebSocket: request => http.acceptWebSocket(request),
  };
  await turns.next();
  const http: HttpServer = await createHttpServer(
    {
      clock,
      tls: {
        ...(options.servingCertificate ?? pki.serving),
        // Which of them a certificate comes from is for the authenticators to tell.
        ca: `${clientCaOf(options)}\n${requestHeaderOf(options).clientCa}`,
      },
    },
    () => context,
  );
  await turns.next();
  const boot: BootstrapOptions = {
    objects: registries.objects,
    clock,
    log,
    signal,
    clientCa: clientCaOf(options),
    requestHeader: requestHeaderOf(options),
    serviceCidrs,
    served: api.groupVersions,
    policy: settings.authorizationModes.includes('RBAC') ? bootstrapPolicy : [],
  };
  const objectMeta = api.type('meta.v1.ObjectMeta');
  if (objectMeta === undefined) throw new Error('api-schemas/ has no ObjectMeta');
  const ctx = selfContext(registries.objects, clock, signal);
  const customResources = createCustomResources({
    catalog,
    registries,
    clock,
    turns,
    log,
    ctx,
    objectMeta,
    converterOf({ spec, metadata }) {
      const webhook = spec?.conversion?.strategy === 'Webhook' ? spec.conversion.webhook : undefined;
      const { clientConfig, conversionReviewVersions = [] } = webhook ?? {};
      if (clientConfig === undefined) return undefined;
      const converter = createConversionWebhook(
        { clientConfig, conversionReviewVersions },
        { call, clock, uuid: () => random.uuid(), metrics: conversionMetrics },
      );
      return conversionMetrics.measured(metadata.name ?? '', converter);
    },
  });
  await customResources.serve();
  await bootstrap(boot);
  customResources.maintain();
  flowControl?.follow();

  return {
    async listen() {
      await http.app.listen({ host: settings.bindAddress, port });
      port = (http.app.server.address() as AddressInfo).port;
      await publishAddress(boot, { ...address, securePort: port });
      ready = true;
      void keepNamespaces(boot);
      void keepServiceCidr(boot);
      void keepAuthenticationTrust(boot);
      aggregation.run().catch((err: unknown) => {
        if (!signal.aborted) log.error({ err }, 'nobody looks after aggregated APIs any more');
      });
      void keepFlowControl(boot);
      if (encryptionFile !== undefined)
        keepEncryptionReloaded({
          file: encryptionFile,
          clock,
          log,
          signal,
          metrics: reloadMetrics,
          async use(transformers) {
            kept.use(transformers);
            await registries.refresh();
          },
        }).catch((err: unknown) => {
          if (!signal.aborted) log.error({ err }, 'nobody looks at the encryption configuration any more');
        });
      void runEventTtl({
        objects: registries.objects,
        clock,
        ctx,
        signal,
        onError: err => log.error({ err }, 'could not delete old events'),
      });
      return { port };
    },
    async close() {
      const reason = new Error('the server is stopping');
      toldToStop.abort(reason);
      // Those who send requests here look at /readyz, and need a while to notice.
      if (ready && settings.shutdownDelayMs > 0) await clock.sleep(settings.shutdownDelayMs);
      http.stopListening();
      ending.abort(reason);
      await underWay.drain(DRAIN_MS);
      ready = false;
      stopping.abort(reason);
      await http.close();
      dialer.close();
      // What has been answered is on record: whoever stops the server may end the process next.
      await options.audit?.sink.flush();
      await store.close();
    },
  };
}
