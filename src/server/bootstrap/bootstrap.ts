import type { Logger } from '../../machinery/logger.js';
import { formatTime, type Clock } from '../../machinery/clock.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import { isStatusError } from '../../machinery/status.js';
import type { KubeObject } from '../../machinery/types.js';
import type { Objects, RequestContext } from '../../api/strategy.js';
import { localApiServices, type GroupVersion } from './api-services.js';
import { reconcilePolicy } from './reconcile-policy.js';
import {
  authenticationConfig,
  defaultServiceCidr,
  FLOW_CONTROL,
  kubernetesEndpoints,
  kubernetesEndpointSlice,
  kubernetesService,
  legacyTokenTracking,
  PRIORITY_CLASSES,
  SYSTEM_NAMESPACES,
  systemNamespace,
  type ApiServerAddress,
  type SystemObject,
} from './system-objects.js';

export interface BootstrapOptions {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** PEM of the cluster's CA. */
  readonly ca: string;
  /** The range of ClusterIPs. */
  readonly serviceCidr: string;
  /** The group-versions that are served. */
  readonly served: readonly GroupVersion[];
  /** Default roles and bindings; empty when RBAC is off. */
  readonly policy: readonly SystemObject[];
}

/** How often removed system namespaces are looked for, as upstream. */
const NAMESPACE_CHECK_MS = 60_000;

/** The API server acting for itself. */
export const selfContext = (objects: Objects, clock: Clock, signal: AbortSignal): RequestContext => ({
  user: { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] },
  clock,
  options: { dryRun: false, fieldManager: 'kube-apiserver', fieldValidation: 'Ignore' },
  objects,
  signal,
  warn: () => undefined,
});

const keyOf = ({ object }: SystemObject): { namespace: string; name: string } => ({
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
});

async function ensure(options: BootstrapOptions, wanted: SystemObject): Promise<void> {
  const { objects, clock, signal } = options;
  if (objects.info(wanted.resource) === undefined || objects.get(wanted.resource, keyOf(wanted)) !== undefined) return;
  try {
    await objects.create(selfContext(objects, clock, signal), wanted.resource, wanted.object);
  } catch (error) {
    if (!isStatusError(error, 'AlreadyExists')) throw error;
  }
}

/** Makes the object say what is wanted, field by field at the top level; metadata is left alone but for labels. */
async function reconcile(options: BootstrapOptions, wanted: SystemObject): Promise<void> {
  const { objects, clock, signal } = options;
  const stored = objects.get(wanted.resource, keyOf(wanted));
  if (stored === undefined) return ensure(options, wanted);
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...fields } = wanted.object;
  if (Object.entries(fields).every(([name, value]) => jsonEqual(stored[name], value))) return;
  await objects.update(
    selfContext(objects, clock, signal),
    wanted.resource,
    keyOf(wanted),
    (object: KubeObject): void => {
      Object.assign(object, fields);
      object.metadata.labels = { ...object.metadata.labels, ...metadata.labels };
    },
  );
}

/** The default range, which is ready when it is the one that addresses are given from. */
async function ensureServiceCidr(options: BootstrapOptions): Promise<void> {
  const { objects, clock, signal, log, serviceCidr } = options;
  const wanted = defaultServiceCidr(serviceCidr);
  await ensure(options, wanted);
  const stored = objects.get(wanted.resource, keyOf(wanted));
  if (stored === undefined || (stored as { status?: { conditions?: unknown } }).status?.conditions !== undefined)
    return;
  if (!jsonEqual(stored['spec'], wanted.object['spec'])) {
    log.warn({ want: serviceCidr, have: stored['spec'] }, 'the default ServiceCIDR is not the range of this server');
    return;
  }
  const ready = {
    type: 'Ready',
    status: 'True',
    lastTransitionTime: formatTime(clock.now()),
    reason: '',
    message: 'Kubernetes default Service CIDR is ready',
  };
  await objects.update(
    selfContext(objects, clock, signal),
    wanted.resource,
    keyOf(wanted),
    (object: KubeObject): void => void (object['status'] = { conditions: [ready] }),
    { subresource: 'status' },
  );
}

/** Everything but what depends on the port: run before the server listens. */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  for (const name of SYSTEM_NAMESPACES) await ensure(options, systemNamespace(name));
  const configs = [authenticationConfig(options.ca), legacyTokenTracking(options.clock.now())];
  const local = localApiServices(options.served);
  const rest = [...local, ...PRIORITY_CLASSES, ...FLOW_CONTROL, ...configs, ...options.policy];
  // One group commit for all of them instead of one disk sync each.
  await Promise.all([...rest.map(object => ensure(options, object)), ensureServiceCidr(options)]);
  const { objects, clock, signal, policy } = options;
  const ctx = selfContext(objects, clock, signal);
  await Promise.all(policy.map(object => reconcilePolicy(objects, ctx, object)));
}

/** Service default/kubernetes and its endpoints, which follow the address and port. */
export async function publishAddress(options: BootstrapOptions, address: ApiServerAddress): Promise<void> {
  await ensure(options, kubernetesService(address));
  await Promise.all([
    reconcile(options, kubernetesEndpoints(address)),
    reconcile(options, kubernetesEndpointSlice(address)),
  ]);
}

/** Makes system namespaces again when they were removed; runs until the signal. */
export async function keepNamespaces(options: BootstrapOptions): Promise<void> {
  const { clock, signal, log } = options;
  while (!signal.aborted) {
    try {
      await clock.sleep(NAMESPACE_CHECK_MS, signal);
      for (const name of SYSTEM_NAMESPACES) await ensure(options, systemNamespace(name));
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error }, 'could not check the system namespaces');
    }
  }
}
