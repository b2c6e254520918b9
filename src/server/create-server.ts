import type { AddressInfo } from 'node:net';
import { createTimeouts } from '../machinery/timeouts.js';
import { createTurns } from '../machinery/turns.js';
import { createCodec } from '../api/codec/create-codec.js';
import { createProtobufAnswers } from '../api/codec/protobuf.js';
import { createCatalog } from '../api/create-catalog.js';
import { loadApi } from '../api/load.js';
import type { Objects } from '../api/strategy.js';
import { createAuditor } from './audit/auditor.js';
import { DEFAULT_AUDIT_POLICY } from './audit/policy.js';
import { bootstrapPolicy } from './auth/policy/bootstrap-policy.js';
import { bootstrap, publishAddress } from './bootstrap/bootstrap.js';
import { selfContext, type BootstrapOptions } from './bootstrap/ensure.js';
import { MANDATORY_FLOW_CONTROL } from './bootstrap/flow-control.js';
import { composeAdmission } from './composition/admission.js';
import { composeAggregation } from './composition/aggregation.js';
import { startBackground } from './composition/background.js';
import { composeCustomResources } from './composition/custom-resources.js';
import { composeDialer } from './composition/dialer.js';
import { composeDocuments } from './composition/documents.js';
import { composeEncryption } from './composition/encryption.js';
import { createLifetime } from './composition/lifetime.js';
import { composeMetrics } from './composition/metrics.js';
import { composeSecurity } from './composition/security.js';
import { settingsOf } from './composition/settings.js';
import { clientCertificateAuthorities, trustOf } from './composition/trust.js';
import { createConversionMetrics } from './conversion/metrics.js';
import { createFollowingFlowControl } from './flow-control/create.js';
import { createHttpServer, type HttpServer } from './http-server.js';
import type { ApiServer, ApiServerOptions } from './options.js';
import type { ApiContext } from './pipeline/context.js';
import { STEPS, stepsWith } from './pipeline/steps.js';
import { createInFlight } from './pipeline/in-flight.js';
import { createUnderWay } from './pipeline/under-way.js';
import { createStoredProblem } from './registry/stored-problem.js';
import { createRegistries } from './registry/create-registries.js';
import { Slabs } from './responses/slabs.js';
import { firstServiceAddresses, serviceRanges } from './service-range.js';
import { createServerStrategies } from './strategies.js';
import { createOffLoopValidator } from './validation/off-loop.js';
import { createBacklog } from './watch-stream/backlog.js';
import { createRounds } from './watch-stream/rounds.js';
import { createWebhookClient } from './webhook-client/call.js';

/**
 * An API server over a store, ready to listen. Everything it is made of is put together here and in composition/, and
 * nowhere else. What needs something that comes later is given a function that is called when there are requests.
 * @throws StorageError, PkiError, RangeError for service ranges that are none
 */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const settings = settingsOf(options);
  const { store, clock, random, log, inFlightLimits, audit } = settings;
  const lifetime = createLifetime(clock, settings.shutdownDelayMs);
  const signal = lifetime.stopping;
  const underWay = createUnderWay(clock);
  let port = settings.securePort;

  // Who may do what, and the kinds, whose behaviour asks that.
  const objects = (): Objects => registries.objects;
  const trust = trustOf(settings);
  const api = loadApi();
  const security = composeSecurity(settings, trust, objects);
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

  // Whom the server asks, then the objects, and who judges what is written to them.
  const reads: Pick<Objects, 'get' | 'list'> = {
    get: (resource, key) => objects().get(resource, key),
    list: (resource, namespace) => objects().list(resource, namespace),
  };
  const dialer = composeDialer(settings, reads, () => port);
  const call = createWebhookClient({ dialer, clock, turns });
  const { ready } = lifetime;
  const admission = composeAdmission(settings, { catalog, turns, security, call, ready });
  const encryption = composeEncryption(settings, catalog);
  const registries = await createRegistries({
    store: encryption.store,
    catalog,
    clock,
    random,
    turns,
    signal,
    validate: createOffLoopValidator({ clock, turns, signal }),
    admission: admission.plugins,
    onError: (err, what) => log.error({ err }, `${what} failed`),
  });
  await turns.next();

  // What stands before the objects: who has to wait, other servers' APIs, what is counted, what is no resource.
  const flowControl = settings.priorityAndFairness
    ? createFollowingFlowControl({
        registries,
        catalog,
        clock,
        log,
        signal,
        mandatory: MANDATORY_FLOW_CONTROL,
        serverLimit: inFlightLimits.reading + inFlightLimits.writing,
      })
    : undefined;
  const aggregation = composeAggregation(settings, { objects: registries.objects, dialer, turns, signal });
  const conversionMetrics = createConversionMetrics(clock);
  const metrics = composeMetrics(clock, catalog, registries, [
    ...admission.families,
    ...conversionMetrics.families,
    ...aggregation.families,
    ...encryption.families,
    ...(flowControl?.metrics.families ?? []),
  ]);
  const documents = composeDocuments(settings, {
    catalog,
    turns,
    aggregation,
    metrics,
    flowControl,
    lifetime,
    reloadsEncryption: encryption.reloads,
    issuer: security.issuer,
    serverAddress: () => `${settings.advertiseAddress}:${settings.advertisePort ?? port}`,
    context: () => context,
  });

  // The pipeline, and what it listens with.
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
    inFlight: createInFlight(inFlightLimits),
    timeouts: createTimeouts(clock),
    turns,
    backlog: createBacklog(clock),
    rounds: createRounds(clock),
    objects: registries.objects,
    codec: createCodec(api),
    protobuf: createProtobufAnswers(api),
    audit: audit && createAuditor(audit.policy ?? DEFAULT_AUDIT_POLICY, audit.sink, clock),
    dialer,
    underWay,
    slabs: new Slabs(),
    stopping: lifetime.ending,
    authentication: security.authentication,
    authorizer: security.authorizer,
    registryOf: entry => registries.get(entry),
    acceptWebSocket: request => http.acceptWebSocket(request),
  };
  await turns.next();
  const tls = { ...settings.servingCertificate, ca: clientCertificateAuthorities(trust) };
  const http: HttpServer = await createHttpServer({ clock, tls }, () => context);
  await turns.next();

  // What has to be there before anybody asks: custom kinds, then the objects that a cluster begins with.
  const boot: BootstrapOptions = {
    ...trust,
    objects: registries.objects,
    clock,
    log,
    signal,
    serviceCidrs,
    served: api.groupVersions,
    policy: settings.authorizationModes.includes('RBAC') ? bootstrapPolicy : [],
  };
  const ctx = selfContext(registries.objects, clock, signal);
  const customResources = composeCustomResources(settings, {
    ...{ api, catalog, registries, turns, ctx, call },
    metrics: conversionMetrics,
  });
  await customResources.serve();
  await bootstrap(boot);
  customResources.maintain();
  flowControl?.follow();

  return {
    async listen() {
      await http.app.listen({ host: settings.bindAddress, port });
      port = (http.app.server.address() as AddressInfo).port;
      const [serviceIp = ''] = firstServiceAddresses(settings.serviceClusterIpRange);
      await publishAddress(boot, {
        serviceIp,
        advertiseAddress: settings.advertiseAddress,
        securePort: settings.advertisePort ?? port,
      });
      lifetime.begin();
      startBackground({ boot, ctx, aggregation, encryption, refresh: () => registries.refresh() });
      return { port };
    },
    accept: (connection, certificate) => http.accept(connection, certificate),
    revision: () => store.observed(),
    changed: (group, version, resource) => registries.changed(group, version, resource),
    tellProgress: () => registries.tellProgress(),
    storedProblem: () => createStoredProblem(catalog),
    endWatches: () => registries.endWatches(),
    forgetHistory: () => registries.compact(store.observed()),
    close: () => lifetime.end({ http, underWay, dialer, audit: audit?.sink, store }),
  };
}
