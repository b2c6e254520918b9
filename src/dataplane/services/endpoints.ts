import { compareText } from '../../machinery/compare-text.js';
import type { DeepReadonly, EndpointSlice } from '../../machinery/types.js';
import { canonicalIP, joinHostPort } from '../../machinery/ip.js';
import { SERVICE_NAME_LABEL } from '../../machinery/service-name.js';
import { isForTheProxy, protocolOf } from './service-ports.js';
import type { Family } from '../packet.js';

/** One address and port behind a service port. */
export interface EndpointInfo {
  readonly ip: string;
  readonly port: number;
  /** "ip:port"; identity and sort key. */
  readonly address: string;
  readonly isLocal: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Empty: no hints. */
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
  /** The EndpointSlice it came from. */
  readonly slice: string;
}

/** Endpoints by port key (see `portKey`), sorted by address. */
export type EndpointsByPort = ReadonlyMap<string, readonly EndpointInfo[]>;

/** Shared: a cluster has a hundred thousand endpoints. */
const NO_HINTS: readonly string[] = [];

export const portKey = (portName: string, protocol: string): string => `${portName}/${protocol}`;

/** "namespace/name" of the Service this slice belongs to; undefined when the proxy has no use for the slice. */
export function serviceOfSlice(slice: DeepReadonly<EndpointSlice>, family: Family): string | undefined {
  const labels = slice.metadata.labels ?? {};
  const service = labels[SERVICE_NAME_LABEL];
  if (service === undefined || service === '' || !isForTheProxy(labels)) return undefined;
  return slice.addressType === family ? `${slice.metadata.namespace ?? ''}/${service}` : undefined;
}

/** Merges the slices of one Service. The result does not depend on the order of `slices`. */
export function mergeSlices(slices: Iterable<DeepReadonly<EndpointSlice>>, nodeName: string): EndpointsByPort {
  const merged = new Map<string, Map<string, EndpointInfo>>();
  const ordered = [...slices].sort((a, b) => compareText(a.metadata.name ?? '', b.metadata.name ?? ''));
  for (const slice of ordered) {
    for (const port of slice.ports ?? []) {
      const protocol = protocolOf(port.protocol);
      if (port.name === undefined || port.name === null) continue;
      if (protocol === undefined || port.port === undefined || port.port === null || port.port === 0) continue;
      const key = portKey(port.name, protocol);
      const endpoints = merged.get(key) ?? new Map<string, EndpointInfo>();
      merged.set(key, endpoints);
      addEndpoints(endpoints, slice, port.port, nodeName);
    }
  }
  return new Map(
    [...merged].map(([key, endpoints]) => [
      key,
      [...endpoints.values()].sort((a, b) => compareText(a.address, b.address)),
    ]),
  );
}

function addEndpoints(
  endpoints: Map<string, EndpointInfo>,
  slice: DeepReadonly<EndpointSlice>,
  port: number,
  nodeName: string,
): void {
  for (const endpoint of slice.endpoints ?? []) {
    const ip = canonicalIP(endpoint.addresses[0] ?? '');
    if (ip === undefined) continue;
    const { ready, serving, terminating } = endpoint.conditions ?? {};
    const info: EndpointInfo = {
      ip,
      port,
      address: joinHostPort(ip, port),
      isLocal: endpoint.nodeName === nodeName,
      ready: ready ?? true,
      serving: serving ?? true,
      terminating: terminating ?? false,
      zoneHints: endpoint.hints?.forZones?.map(zone => zone.name) ?? NO_HINTS,
      nodeHints: endpoint.hints?.forNodes?.map(node => node.name) ?? NO_HINTS,
      slice: slice.metadata.name ?? '',
    };
    // An endpoint on its way from one slice to another is seen in both for a moment; the live one is right.
    const known = endpoints.get(info.address);
    if (known === undefined || (known.terminating && !info.terminating)) endpoints.set(info.address, info);
  }
}
