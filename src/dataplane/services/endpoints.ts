import type { DeepReadonly, Endpoint, EndpointSlice } from '../../machinery/types.js';
import { canonicalIP, joinHostPort } from '../../machinery/ip.js';
import { SERVICE_NAME_LABEL } from '../../machinery/service-name.js';
import { sameMembers } from '../../machinery/same-members.js';
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

/** The endpoints of one slice by port key (see `portKey`): one of each address. */
export type SliceEndpoints = ReadonlyMap<string, readonly EndpointInfo[]>;

/** What a slice says. What `before` has said alike are the same objects: whoever made something of them has it still. */
export function readSlice(
  slice: DeepReadonly<EndpointSlice>,
  nodeName: string,
  before: SliceEndpoints = new Map(),
): SliceEndpoints {
  const ports = new Map<string, Map<string, EndpointInfo>>();
  for (const { name, port, protocol: apiProtocol } of slice.ports ?? []) {
    const protocol = protocolOf(apiProtocol);
    if (name === undefined || name === null) continue;
    if (protocol === undefined || port === undefined || port === null || port === 0) continue;
    const key = portKey(name, protocol);
    const endpoints = ports.get(key) ?? new Map<string, EndpointInfo>();
    ports.set(key, endpoints);
    const known = new Map(before.get(key)?.map(info => [info.address, info]));
    for (const endpoint of slice.endpoints ?? []) {
      const read = readEndpoint(endpoint, port, slice.metadata.name ?? '', nodeName);
      if (read === undefined) continue;
      const old = known.get(read.address);
      const info = old !== undefined && isSameEndpoint(old, read) ? old : read;
      endpoints.set(info.address, chosen(endpoints.get(info.address), info));
    }
  }
  return new Map([...ports].map(([key, endpoints]) => [key, [...endpoints.values()]]));
}

/** An endpoint on its way from one slice to another is seen in both for a moment; the live one is right. */
export const chosen = (known: EndpointInfo | undefined, next: EndpointInfo): EndpointInfo =>
  known === undefined || (known.terminating && !next.terminating) ? next : known;

function readEndpoint(
  { addresses, conditions, nodeName: itsNode, hints }: DeepReadonly<Endpoint>,
  port: number,
  slice: string,
  nodeName: string,
): EndpointInfo | undefined {
  const ip = canonicalIP(addresses[0] ?? '');
  if (ip === undefined) return undefined;
  return {
    ip,
    port,
    address: joinHostPort(ip, port),
    isLocal: itsNode === nodeName,
    ready: conditions?.ready ?? true,
    serving: conditions?.serving ?? true,
    terminating: conditions?.terminating ?? false,
    zoneHints: hints?.forZones?.map(zone => zone.name) ?? NO_HINTS,
    nodeHints: hints?.forNodes?.map(node => node.name) ?? NO_HINTS,
    slice,
  };
}

/** Their addresses are the same already. */
const isSameEndpoint = (a: EndpointInfo, b: EndpointInfo): boolean =>
  a.isLocal === b.isLocal &&
  a.ready === b.ready &&
  a.serving === b.serving &&
  a.terminating === b.terminating &&
  a.slice === b.slice &&
  sameMembers(a.zoneHints, b.zoneHints) &&
  sameMembers(a.nodeHints, b.nodeHints);
