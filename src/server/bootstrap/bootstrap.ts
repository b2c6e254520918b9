import { jsonEqual } from '../../machinery/json-equal.js';
import type { KubeObject } from '../../machinery/types.js';
import { ensureAuthenticationTrust } from './authentication-trust.js';
import { localApiServices } from './api-services.js';
import { ensure, keyOf, selfContext, type BootstrapOptions } from './ensure.js';
import { ensureFlowControl } from './flow-control.js';
import { reconcilePolicy } from './reconcile-policy.js';
import { ensureServiceCidr } from './service-cidr.js';
import {
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

/** How often removed system namespaces are looked for, as upstream. */
const NAMESPACE_CHECK_MS = 60_000;

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

/** Everything but what depends on the port: run before the server listens. */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  for (const name of SYSTEM_NAMESPACES) await ensure(options, systemNamespace(name));
  const local = localApiServices(options.served);
  const rest = [...local, ...PRIORITY_CLASSES, ...options.policy];
  const tracking = legacyTokenTracking(options.clock.now());
  // One group commit for all of them instead of one disk sync each.
  await Promise.all([
    ...[...rest, tracking].map(object => ensure(options, object)),
    ensureFlowControl(options),
    ensureServiceCidr(options),
    ensureAuthenticationTrust(options),
  ]);
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
