import {
  duplicate,
  errorList,
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
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import type { Strategy } from '../../api/strategy.js';
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkImmutable,
  checkLabels,
  checkQualifiedName,
  checkIp,
  ipWarnings,
  isIpv6,
  labelValueErrors,
  list,
  sortedEntries,
} from '../validation/formats.js';
import { checkNonSpecialIp } from '../core/validation/special-ips.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { checkFullyQualifiedDomainName } from '../validation/qualified-name.js';
import { checkStrictIp } from '../validation/strict-ip.js';
import { ageCell, nameCell, UNSET } from '../cells.js';

type Slice = DeepReadonly<EndpointSlice>;
type Endpoint = NonNullable<Slice['endpoints']>[number];

const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20000;
const MAX_HINTS = 8;
const MAX_TOPOLOGY = 16;
const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

function checkAddress(out: FieldError[], at: FieldPath, i: number, type: string | undefined, address: string): void {
  const item = at.index(i);
  if (type === 'FQDN') return checkFullyQualifiedDomainName(out, item, address);
  if (type !== 'IPv4' && type !== 'IPv6') return;
  const before = out.length;
  if (type === 'IPv6') checkStrictIp(out, item, address);
  else checkIp(out, item, address);
  if (out.length > before) return;
  if (isIpv6(address) !== (type === 'IPv6')) out.push(invalid(at, address, `must be an ${type} address`));
  checkNonSpecialIp(out, item, address);
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
  addresses.forEach((address, i) => checkAddress(out, field, i, type, address));
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
    if (port.protocol === undefined) out.push(required(item.child('protocol')));
    else if (!PROTOCOLS.includes(port.protocol))
      out.push(notSupported(item.child('protocol'), port.protocol, PROTOCOLS));
    if (port.appProtocol !== undefined) checkQualifiedName(out, item.child('appProtocol'), port.appProtocol);
  });
}

/** Endpoints that have not changed are not held against an update. */
function checkSlice(slice: Slice, old?: Slice): FieldError[] {
  const out = errorList();
  const type = slice.addressType as string | undefined;
  if (!type) out.push(required(path('addressType')));
  else if (!ADDRESS_TYPES.includes(type)) out.push(notSupported(path('addressType'), type, ADDRESS_TYPES));
  checkPorts(out, slice);
  const endpoints = list(slice.endpoints);
  if (old !== undefined && semanticEqual(endpoints, old.endpoints)) return out;
  if (endpoints.length > MAX_ENDPOINTS) out.push(tooMany(path('endpoints'), endpoints.length, MAX_ENDPOINTS));
  else endpoints.forEach((endpoint, i) => checkEndpoint(out, path('endpoints').index(i), endpoint, type));
  return out;
}

const SHOWN = 3;

const more = (all: readonly string[]): string =>
  all.length > SHOWN ? `${all.slice(0, SHOWN).join(',')} + ${all.length - SHOWN} more...` : all.join(',') || UNSET;

const portsCell = (slice: Slice): string =>
  more(list(slice.ports).map(({ port, name }) => String(port ?? name ?? '*')));

const endpointsCell = (slice: Slice): string =>
  more(list(slice.endpoints).flatMap(endpoint => list(endpoint.addresses)));

/** Labels of a slice count as content: controllers find slices by them. */
const contentOf = ({ addressType, endpoints, ports, metadata }: Slice): unknown => [
  addressType,
  endpoints,
  ports,
  metadata.labels,
];

const HOSTNAME = 'kubernetes.io/hostname';

/** deprecatedTopology can be read in v1, not written; the node it names stays named. Mutates. */
function dropTopology(slice: EndpointSlice, old: Slice | undefined): void {
  if (old !== undefined && semanticEqual(slice.endpoints, old.endpoints)) return;
  const known = new Set(list(old?.endpoints).map(endpoint => endpoint.deprecatedTopology?.[HOSTNAME]));
  for (const endpoint of slice.endpoints ?? []) {
    const node = endpoint.deprecatedTopology?.[HOSTNAME];
    if (node && endpoint.nodeName === undefined && known.has(node) && nameIsDnsSubdomain(node, false).length === 0)
      endpoint.nodeName = node;
    delete endpoint.deprecatedTopology;
  }
}

/** Slices that the server's own controllers write have canonical addresses. */
const OWN_MANAGERS = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

function warningsOf(slice: Slice): string[] {
  const out = slice.addressType === ('FQDN' as string) ? ['spec.addressType: FQDN endpoints are deprecated'] : [];
  if (OWN_MANAGERS.includes(slice.metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return out;
  list(slice.endpoints).forEach((endpoint, i) =>
    list(endpoint.addresses).forEach((address, k) =>
      ipWarnings(path('endpoints').index(i).child('addresses').index(k), address).forEach(text => out.push(text)),
    ),
  );
  return out;
}

export const endpointSliceStrategy: Strategy<EndpointSlice> = {
  default(slice) {
    for (const port of list(slice.ports) as NonNullable<EndpointSlice['ports']>) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  prepareForCreate: (_ctx, slice) => dropTopology(slice, undefined),
  prepareForUpdate: (_ctx, slice, old) => dropTopology(slice, old),
  validate: (_ctx, slice) => checkSlice(slice),
  validateUpdate(_ctx, slice, old) {
    const out = errorList();
    checkMetadataAgain(out, slice, { namespaced: true, name: nameIsDnsSubdomain });
    for (const one of checkSlice(slice, old)) out.push(one);
    checkImmutable(out, path('addressType'), slice.addressType, old.addressType);
    return out;
  },
  generationChanged: (slice, old) => !semanticEqual(contentOf(slice), contentOf(old)),
  warnings: (_ctx, slice) => warningsOf(slice),
  cells: (slice, nowMs) => ({
    cells: [nameCell(slice), slice.addressType, portsCell(slice), endpointsCell(slice), ageCell(slice, nowMs)],
  }),
};
