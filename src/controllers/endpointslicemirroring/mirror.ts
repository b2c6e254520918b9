import { type Family, formatIP } from '../../machinery/ip.js';
import { parseLegacyIp } from '../../machinery/legacy-ip.js';
import type { DeepReadonly, Endpoint, Endpoints, EndpointSlice } from '../../machinery/types.js';

/** Upstream's --mirroring-max-endpoints-per-subset. */
const MAX_PER_SUBSET = 1000;

type Subset = NonNullable<DeepReadonly<Endpoints>['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Port = NonNullable<Subset['ports']>[number];
export type MirroredSlice = Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'>;

export interface Mirrored {
  readonly slices: MirroredSlice[];
  /** Addresses beyond what one subset may have. */
  readonly skipped: number;
}

interface Held {
  readonly key: string;
  address: Address;
  ready: boolean;
}

interface Repacked {
  readonly ports: Port[];
  readonly addresses: readonly Readonly<Held>[];
}

/** One slice per set of addresses and address family: pure. */
export function mirror(endpoints: DeepReadonly<Endpoints>): Mirrored {
  let skipped = 0;
  const slices = repack(endpoints.subsets ?? []).flatMap(({ ports, addresses }) => {
    // The ready ones first: what is too many is taken from those that are not.
    const kept = [...addresses.filter(({ ready }) => ready), ...addresses.filter(({ ready }) => !ready)];
    skipped += Math.max(0, kept.length - MAX_PER_SUBSET);
    const mirrored = kept.slice(0, MAX_PER_SUBSET);
    return (['IPv4', 'IPv6'] as const).flatMap(addressType => {
      const list = mirrored
        .flatMap(({ address, ready }) => toEndpoint(address, ready, addressType))
        .sort((a, b) => compare(a.addresses[0] ?? '', b.addresses[0] ?? ''));
      return list.length === 0 ? [] : [{ addressType, endpoints: list, ports: ports.map(toPort) }];
    });
  });
  return { slices, skipped };
}

export const tooMany = (skipped: number): string =>
  `A max of ${MAX_PER_SUBSET} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`;

/**
 * The same endpoints with every port once: ports that have the same addresses form one subset (RepackSubsets). An address that
 * is ready here and not there is not ready.
 */
function repack(subsets: readonly Subset[]): Repacked[] {
  const byPort = new Map<string, { place: number; port: Port | undefined; addresses: Held[] }>();
  // One map for all ports: one for each of 5,000 is most of the work.
  const held = new Map<string, Held>();
  for (const subset of subsets) {
    const ports: readonly (Port | undefined)[] = (subset.ports ?? []).length === 0 ? [undefined] : (subset.ports ?? []);
    for (const port of ports) {
      const id = port === undefined ? '' : JSON.stringify([port.name, port.port, port.protocol, port.appProtocol]);
      const entry = byPort.get(id) ?? { place: byPort.size, port, addresses: [] };
      byPort.set(id, entry);
      const put = (address: Address, ready: boolean): void => {
        const key = `${address.ip} ${address.targetRef?.uid ?? ''}`;
        const place = `${entry.place} ${key}`;
        const known = held.get(place);
        if (known === undefined) {
          const first: Held = { key, address, ready };
          held.set(place, first);
          entry.addresses.push(first);
        } else if (known.ready) Object.assign(known, { address, ready });
      };
      for (const address of subset.addresses ?? []) put(address, true);
      for (const address of subset.notReadyAddresses ?? []) put(address, false);
    }
  }
  const byAddresses = new Map<string, Repacked>();
  for (const { port, addresses } of byPort.values()) {
    const id = JSON.stringify(addresses.map(({ key, ready }) => [key, ready]).sort(byText));
    const group = byAddresses.get(id) ?? { ports: [], addresses };
    byAddresses.set(id, group);
    if (port !== undefined) group.ports.push(port);
  }
  return [...byAddresses.values()];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byText = (a: readonly unknown[], b: readonly unknown[]): number => compare(String(a[0]), String(b[0]));

/** None for an address of another family. */
function toEndpoint({ ip: text, hostname, nodeName, targetRef }: Address, ready: boolean, family: Family): Endpoint[] {
  const ip = parseLegacyIp(text);
  if (ip?.family !== family) return [];
  const endpoint = {
    // Slices take canonical addresses only.
    addresses: [formatIP(ip)],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
  return [endpoint];
}

const toPort = (port: Port) => ({
  name: port.name ?? '',
  port: port.port,
  protocol: port.protocol ?? 'TCP',
  ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
});
