import { parseQuantity, scaledValue } from '../../machinery/quantity.js';
import type { ReadonlyContainer, ReadonlyPod } from './types.js';

/** Addresses that the status does not say yet when a container starts. */
export interface PodAddresses {
  readonly podIPs: readonly string[];
  readonly nodeIPs: readonly string[];
}

const mapText = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');

/** The value of a fieldRef; undefined when the path is none that Pods have. */
export function fieldValue(pod: ReadonlyPod, path: string, { podIPs, nodeIPs }: PodAddresses): string | undefined {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (keyed !== null) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return mapText(metadata.labels);
    case 'metadata.annotations':
      return mapText(metadata.annotations);
    case 'spec.nodeName':
      return spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return nodeIPs[0] ?? '';
    case 'status.hostIPs':
      return nodeIPs.join(',');
    case 'status.podIP':
      return podIPs[0] ?? '';
    case 'status.podIPs':
      return podIPs.join(',');
    default:
      return undefined;
  }
}

/** limits.cpu and its kin, divided and rounded up; a missing limit is what the node can give. */
export function resourceValue(
  container: ReadonlyContainer,
  resource: string,
  divisor: string | undefined,
  allocatable: Readonly<Record<string, string>>,
): string {
  const [kind = '', name = ''] = resource.split(/\.(.*)/s);
  const { limits = {}, requests = {} } = container.resources ?? {};
  const text = kind === 'limits' ? (limits[name] ?? allocatable[name] ?? '0') : (requests[name] ?? '0');
  // In thousandths, so that a divisor of 1m works out.
  const scaled = (quantity: string): bigint => scaledValue(parseQuantity(quantity), -3);
  const by = divisor === undefined || divisor === '0' || divisor === '' ? 1000n : scaled(divisor);
  return String((scaled(text) + by - 1n) / by);
}
