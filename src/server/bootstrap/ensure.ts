import type { Logger } from '../../machinery/logger.js';
import type { Clock } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { Objects, RequestContext } from '../../api/strategy.js';
import type { RequestHeaderOptions } from '../auth/authn/request-header.js';
import type { GroupVersion } from './api-services.js';
import type { SystemObject } from './system-objects.js';

export interface BootstrapOptions {
  readonly objects: Objects;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** PEM of the CA of users' certificates. */
  readonly clientCa: string;
  readonly requestHeader: RequestHeaderOptions;
  /** The ranges of ClusterIPs. */
  readonly serviceCidrs: readonly string[];
  /** The group-versions that are served. */
  readonly served: readonly GroupVersion[];
  /** Default roles and bindings; empty when RBAC is off. */
  readonly policy: readonly SystemObject[];
}

/** The API server acting for itself. */
export const selfContext = (
  objects: Objects,
  clock: Clock,
  signal: AbortSignal,
  fieldManager = 'kube-apiserver',
): RequestContext => ({
  user: { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] },
  clock,
  options: { dryRun: false, fieldManager, fieldValidation: 'Ignore' },
  objects,
  signal,
  warn: () => undefined,
});

export const keyOf = ({ object }: SystemObject): { namespace: string; name: string } => ({
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name ?? '',
});

/** Makes the object where there is none. */
export async function ensure(options: BootstrapOptions, wanted: SystemObject, fieldManager?: string): Promise<void> {
  const { objects, clock, signal } = options;
  if (objects.info(wanted.resource) === undefined || objects.get(wanted.resource, keyOf(wanted)) !== undefined) return;
  try {
    await objects.create(selfContext(objects, clock, signal, fieldManager), wanted.resource, wanted.object);
  } catch (error) {
    if (!isStatusError(error, 'AlreadyExists')) throw error;
  }
}
