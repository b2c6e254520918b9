import type { DeepReadonly, EndpointSlice, Service } from '../../machinery/types.js';
import type { RemoteApi } from './api-service.js';

/** What is known of an aggregated API without asking its server. */
export interface Surroundings {
  readonly service: DeepReadonly<Service> | undefined;
  /** Of that Service. */
  readonly slices: readonly DeepReadonly<EndpointSlice>[];
}

export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export const LOCAL: Verdict = {
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};
export const PASSED: Verdict = { status: 'True', reason: 'Passed', message: 'all checks passed' };
export const failedDiscovery = (message: string): Verdict => ({
  status: 'False',
  reason: 'FailedDiscoveryCheck',
  message,
});

const isServed = (slice: DeepReadonly<EndpointSlice>, portName: string): boolean =>
  slice.endpoints?.some(({ conditions }) => conditions?.ready !== false) === true &&
  slice.ports?.some(({ name, port }) => name === portName && port !== undefined) === true;

/**
 * Why an aggregated API cannot be there; undefined: its server has to be asked
 * (kube-aggregator pkg/controllers/status/remote).
 */
export function unavailable(api: RemoteApi, { service, slices }: Surroundings): Verdict | undefined {
  const { namespace, name, port } = api.service;
  const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });
  const where = `service/${name} in ${JSON.stringify(namespace)}`;
  if (service === undefined) return no('ServiceNotFound', `${where} is not present`);
  // Of other types nothing is known that a server would have to have.
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const found = service.spec?.ports?.find(one => one.port === port);
  if (found === undefined) return no('ServicePortError', `${where} is not listening on port ${port}`);
  if (slices.length === 0) return no('EndpointsNotFound', `cannot find endpointslices for ${where}`);
  const portName = found.name ?? '';
  if (slices.some(slice => isServed(slice, portName))) return undefined;
  return no(
    'MissingEndpoints',
    `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`,
  );
}
