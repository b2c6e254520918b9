import { ENDPOINT_SLICES, SERVICES } from '../client/resources.js';
import type { Client } from '../client/types.js';
import type { Clock, WaitOptions } from '../machinery/clock.js';
import { familyOf } from '../machinery/ip.js';
import { isStatusError } from '../machinery/status.js';
import { DNS_MANAGER, type EndpointSlice, type Service } from '../machinery/types.js';
import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';

export interface PublishOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** The address that Pods have in their resolv.conf. */
  readonly clusterIP: string;
  /** Where the server really listens, as Pods see it. */
  readonly hostAddress: string;
  readonly dnsPort: number;
  readonly metricsPort: number;
  readonly onError: (error: Error) => void;
}

const NAMESPACE = 'kube-system';
const NAME = 'kube-dns';
const SLICE_NAME = 'kube-dns-host';
const CHECK_MS = 30_000;
const FIRST_RETRY_MS = 100;

/**
 * Keeps the Service kube-system/kube-dns and an EndpointSlice that leads to this process, until the signal. The Service
 * has no selector: this server is no Pod. Failures are told and tried again.
 */
export async function keepPublished(options: PublishOptions, signal: AbortSignal): Promise<void> {
  let retry = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      await publish(options);
      retry = FIRST_RETRY_MS;
      await wait(options.clock, CHECK_MS, signal);
    } catch (error) {
      options.onError(error instanceof Error ? error : new Error(String(error)));
      await wait(options.clock, retry, signal, { work: true });
      retry = Math.min(retry * 2, CHECK_MS);
    }
  }
}

async function wait(clock: Clock, ms: number, signal: AbortSignal, options?: WaitOptions): Promise<void> {
  try {
    await clock.sleep(ms, signal, options);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Makes what is missing or wrong. @throws StatusError as the server answered. */
export async function publish(options: PublishOptions): Promise<void> {
  const services = options.client.resource<Service>(SERVICES);
  const service =
    (await orMissing(services.get({ namespace: NAMESPACE, name: NAME }))) ??
    (await services.create(NAMESPACE, dnsService(options.clusterIP)));

  const slices = options.client.resource<EndpointSlice>(ENDPOINT_SLICES);
  const wanted = dnsSlice(options, service);
  const found = await orMissing(slices.get({ namespace: NAMESPACE, name: SLICE_NAME }));
  if (found === undefined) {
    await slices.create(NAMESPACE, wanted);
  } else if (!sameTargets(found, wanted)) {
    await slices.update({
      ...found,
      metadata: { ...found.metadata, ownerReferences: wanted.metadata.ownerReferences ?? [] },
      endpoints: wanted.endpoints ?? [],
      ports: wanted.ports ?? [],
    });
  }
}

async function orMissing<T>(get: Promise<T>): Promise<T | undefined> {
  try {
    return await get;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

function dnsService(clusterIP: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      labels: {
        'k8s-app': 'kube-dns',
        'kubernetes.io/cluster-service': 'true',
        'kubernetes.io/name': 'CoreDNS',
      },
      annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
    },
    spec: {
      clusterIP,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        { name: 'metrics', port: 9153, protocol: 'TCP' },
      ],
    },
  };
}

function dnsSlice(options: PublishOptions, service: Service): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: SLICE_NAME,
      namespace: NAMESPACE,
      labels: {
        [SERVICE_NAME_LABEL]: NAME,
        'endpointslice.kubernetes.io/managed-by': DNS_MANAGER,
        'k8s-app': 'kube-dns',
      },
      // Goes away with the Service.
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: NAME, uid: service.metadata.uid ?? '' }],
    },
    addressType: familyOf(options.hostAddress) ?? 'IPv4',
    endpoints: [{ addresses: [options.hostAddress], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: 'dns', port: options.dnsPort, protocol: 'UDP' },
      { name: 'dns-tcp', port: options.dnsPort, protocol: 'TCP' },
      { name: 'metrics', port: options.metricsPort, protocol: 'TCP' },
    ],
  };
}

function sameTargets(a: EndpointSlice, b: EndpointSlice): boolean {
  const print = (slice: EndpointSlice): string =>
    JSON.stringify([
      // A Service made anew has another uid; the garbage collector would take the slice for an orphan.
      slice.metadata.ownerReferences?.[0]?.uid,
      (slice.endpoints ?? []).map(({ addresses, conditions }) => [addresses, conditions?.ready]),
      (slice.ports ?? []).map(({ name, port, protocol }) => `${name ?? ''} ${port ?? 0} ${protocol ?? ''}`).sort(),
    ]);
  return print(a) === print(b);
}
