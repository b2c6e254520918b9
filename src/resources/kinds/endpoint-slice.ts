import {
  duplicate,
  invalid,
  notSupported,
  path,
  required,
  tooMany,
  type FieldError,
  type FieldPath,
} from '../../machinery/field-error.js';
import { semanticEqual } from '../../machinery/json-equal.js';
import type { DeepReadonly, EndpointSlice } from '../../machinery/types.js';
import type { Strategy } from '../strategy.js';
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkImmutable,
  checkLabels,
  checkQualifiedName,
  IP_TEXT,
  isIpv6,
  labelValueErrors,
  list,
  parseIp,
  sortedEntries,
} from '../validation/formats.js';
import { checkNonSpecialIp } from '../validation/service.js';
import { ageCell, nameCell, UNSET } from './cells.js';

type Slice = DeepReadonly<EndpointSlice>;
type Endpoint = NonNullable<Slice['endpoints']>[number];

const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20000;
const MAX_HINTS = 8;
const MAX_TOPOLOGY = 16;
const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

function checkAddress(out: FieldError[], at: FieldPath, type: string | undefined, address: string): void {
  if (type === 'FQDN') return checkDnsSubdomain(out, at, address);
  if (type !== 'IPv4' && type !== 'IPv6') return;
  if (parseIp(address) === undefined) return void out.push(invalid(at, address, IP_TEXT));
  const isType = isIpv6(address) === (type === 'IPv6');
  if (!isType) out.push(invalid(at, address, `must be a valid ${type} address`));
  else checkNonSpecialIp(out, at, address);
}

function checkHints(out: FieldError[], at: FieldPath, hints: NonNullable<Endpoint['hints']>): void {
  for (const field of ['forZones', 'forNodes'] as const) {
    const names = (hints[field] ?? []).map(hint => hint.name);
    if (names.length > MAX_HINTS) return void out.push(tooMany(at.child(field), names.length, MAX_HINTS));
    names.forEach((name, i) => {
      const item = at.child(field).index(i).child('name');
      if (names.indexOf(name) < i) out.push(duplicate(item, name));
      if (field === 'forZones') checkLabelValue(out, item, name);
      else checkDnsSubdomain(out, item, name);
    });
  }
}

function checkLabelValue(out: FieldError[], at: FieldPath, value: string): void {
  for (const text of labelValueErrors(value)) out.push(invalid(at, value, text));
}

function checkEndpoint(out: FieldError[], at: FieldPath, endpoint: Endpoint, type: string | undefined): void {
  const addresses = list(endpoint.addresses);
  const field = at.child('addresses');
  if (addresses.length === 0) out.push(required(field, 'must contain at least 1 address'));
  else if (addresses.length > MAX_ADDRESSES) out.push(tooMany(field, addresses.length, MAX_ADDRESSES));
  addresses.forEach((address, i) => checkAddress(out, field.index(i), type, address));
  if (endpoint.nodeName !== undefined) checkDnsSubdomain(out, at.child('nodeName'), endpoint.nodeName);
  const topology = at.child('deprecatedTopology');
  const keys = sortedEntries(endpoint.deprecatedTopology);
  if (keys.length > MAX_TOPOLOGY) out.push(tooMany(topology, keys.length, MAX_TOPOLOGY));
  checkLabels(out, topology, endpoint.deprecatedTopology);
  if (endpoint.hostname !== undefined) checkDnsLabel(out, at.child('hostname'), endpoint.hostname);
  if (endpoint.hints !== undefined) checkHints(out, at.child('hints'), endpoint.hints);
}

function checkPorts(out: FieldError[], slice: Slice): void {
  const at = path('ports');
  const ports = list(slice.ports);
  if (ports.length > MAX_PORTS) return void out.push(tooMany(at, ports.length, MAX_PORTS));
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const item = at.index(i);
    const name = port.name ?? '';
    if (name !== '') checkDnsLabel(out, item.child('name'), name);
    if (names.has(name)) out.push(duplicate(item.child('name'), name));
    names.add(name);
    if (!port.protocol) out.push(required(item.child('protocol')));
    else if (!PROTOCOLS.includes(port.protocol))
      out.push(notSupported(item.child('protocol'), port.protocol, PROTOCOLS));
    if (port.appProtocol !== undefined) checkQualifiedName(out, item.child('appProtocol'), port.appProtocol);
  });
}

function checkSlice(slice: Slice): FieldError[] {
  const out: FieldError[] = [];
  const type = slice.addressType as string | undefined;
  if (!type) out.push(required(path('addressType')));
  else if (!ADDRESS_TYPES.includes(type)) out.push(notSupported(path('addressType'), type, ADDRESS_TYPES));
  checkPorts(out, slice);
  const endpoints = list(slice.endpoints);
  if (endpoints.length > MAX_ENDPOINTS) out.push(tooMany(path('endpoints'), endpoints.length, MAX_ENDPOINTS));
  else endpoints.forEach((endpoint, i) => checkEndpoint(out, path('endpoints').index(i), endpoint, type));
  return out;
}

const SHOWN = 3;

const more = (all: readonly string[]): string =>
  all.length > SHOWN ? `${all.slice(0, SHOWN).join(',')} + ${all.length - SHOWN} more...` : all.join(',');

function portsCell(slice: Slice): string {
  const ports = list(slice.ports);
  return ports.length === 0 ? UNSET : more(ports.map(({ port }) => (port === undefined ? '*' : String(port))));
}

function endpointsCell(slice: Slice): string {
  const endpoints = list(slice.endpoints);
  return endpoints.length === 0 ? UNSET : more(endpoints.flatMap(endpoint => list(endpoint.addresses)));
}

/** Labels of a slice count as content: controllers find slices by them. */
const contentOf = ({ addressType, endpoints, ports, metadata }: Slice): unknown => [
  addressType,
  endpoints,
  ports,
  metadata.labels,
];

export const endpointSliceStrategy: Strategy<EndpointSlice> = {
  default(slice) {
    for (const port of list(slice.ports) as NonNullable<EndpointSlice['ports']>) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  validate: (_ctx, slice) => checkSlice(slice),
  validateUpdate(_ctx, slice, old) {
    const out = checkSlice(slice);
    checkImmutable(out, path('addressType'), slice.addressType, old.addressType);
    return out;
  },
  generationChanged: (slice, old) => !semanticEqual(contentOf(slice), contentOf(old)),
  warnings(_ctx, slice) {
    return slice.addressType === ('FQDN' as string) ? ['addressType: FQDN endpoints are deprecated'] : [];
  },
  cells: (slice, nowMs) => ({
    cells: [nameCell(slice), slice.addressType, portsCell(slice), endpointsCell(slice), ageCell(slice, nowMs)],
  }),
};
