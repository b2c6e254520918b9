import type { Endpoints } from '../../machinery/types.js';

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Port = NonNullable<Subset['ports']>[number];

/*
 * Upstream sorts the ports of a subset, and the subsets, by a hash of how Go prints them (pkg/api/v1/endpoints
 * portsByHash, subsetsByHash). Clients see that order, so it is made the same way here.
 */

const text = (value: string | undefined): string => `(string)${value ?? ''}`;
const pointer = (value: string | undefined): string => `(*string)${value ?? '<nil>'}`;

const portFields = (port: Port): string =>
  `{Name:${text(port.name)} Port:(int32)${port.port} Protocol:(v1.Protocol)${port.protocol ?? ''} AppProtocol:${pointer(port.appProtocol)}}`;

function addressFields({ ip, hostname, nodeName, targetRef: ref }: Address): string {
  const target =
    ref === undefined
      ? '<nil>'
      : `{Kind:${text(ref.kind)} Namespace:${text(ref.namespace)} Name:${text(ref.name)} UID:(types.UID)${ref.uid ?? ''} ` +
        `APIVersion:${text(ref.apiVersion)} ResourceVersion:${text(ref.resourceVersion)} FieldPath:${text(ref.fieldPath)}}`;
  return `{IP:${text(ip)} Hostname:${text(hostname)} NodeName:${pointer(nodeName)} TargetRef:(*v1.ObjectReference)${target}}`;
}

const list = (type: string, items: readonly string[] | undefined): string =>
  `([]v1.${type})${items === undefined || items.length === 0 ? '<nil>' : `[${items.join(' ')}]`}`;

export const printPort = (port: Port): string => `(v1.EndpointPort)${portFields(port)}`;

export const printSubset = ({ addresses, notReadyAddresses, ports }: Subset): string =>
  `(v1.EndpointSubset){Addresses:${list('EndpointAddress', addresses?.map(addressFields))} ` +
  `NotReadyAddresses:${list('EndpointAddress', notReadyAddresses?.map(addressFields))} Ports:${list('EndpointPort', ports?.map(portFields))}}`;

/** FNV-1a with 128 bits, as lower-case hex, so that comparing texts compares hashes. */
export function fnv128a(input: string): string {
  let [a, b, c, d] = [0x6295c58d, 0x62b82175, 0x07bb0142, 0x6c62272e];
  for (const byte of Buffer.from(input)) {
    a = (a ^ byte) >>> 0;
    // The prime is 2^88 + 0x13b.
    const [pa, pb, pc, pd] = [a * 0x13b, b * 0x13b, c * 0x13b, d * 0x13b];
    const low = pa;
    const second = pb + Math.floor(low / 2 ** 32);
    const third = pc + Math.floor(second / 2 ** 32) + ((a << 24) >>> 0);
    const fourth = pd + Math.floor(third / 2 ** 32) + (((b << 24) | (a >>> 8)) >>> 0);
    a = low % 2 ** 32;
    b = second % 2 ** 32;
    c = third % 2 ** 32;
    d = fourth % 2 ** 32;
  }
  return [d, c, b, a].map(word => word.toString(16).padStart(8, '0')).join('');
}

/** A sorted copy, by the hash of each item's print. */
export function byHash<T>(items: readonly T[], print: (item: T) => string): T[] {
  if (items.length < 2) return [...items];
  return items
    .map(item => ({ item, hash: fnv128a(print(item)) }))
    .sort((x, y) => (x.hash < y.hash ? -1 : x.hash > y.hash ? 1 : 0))
    .map(({ item }) => item);
}
