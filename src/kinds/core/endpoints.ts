import { errorList, path, required, type FieldError, type FieldPath } from '../../machinery/field-error.js';
import { joinHostPort } from '../../machinery/ip.js';
import type { DeepReadonly, Endpoints } from '../../machinery/types.js';
import type { Strategy } from '../../api/strategy.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { nameIsDnsSubdomain } from '../../machinery/validation/names.js';
import { checkProtocol } from './pod/validation/container-ports.js';
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkIp,
  checkPortNumber,
  checkQualifiedName,
  ipWarnings,
  list,
} from '../validation/formats.js';
import { checkNonSpecialIp } from './validation/special-ips.js';
import { ageCell, nameCell, NONE } from '../cells.js';

type Subset = NonNullable<DeepReadonly<Endpoints>['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Port = NonNullable<Subset['ports']>[number];

function checkAddress(out: FieldError[], at: FieldPath, address: Address): void {
  const ip = address.ip ?? '';
  checkIp(out, at.child('ip'), ip);
  if (address.hostname) checkDnsLabel(out, at.child('hostname'), address.hostname);
  if (address.nodeName !== undefined) checkDnsSubdomain(out, at.child('nodeName'), address.nodeName);
  // A malformed address is reported by both checks, as upstream.
  checkNonSpecialIp(out, at.child('ip'), ip);
}

function checkPort(out: FieldError[], at: FieldPath, port: Port, needsName: boolean): void {
  if (port.name) checkDnsLabel(out, at.child('name'), port.name);
  else if (needsName) out.push(required(at.child('name')));
  checkPortNumber(out, at.child('port'), port.port ?? 0);
  checkProtocol(out, at.child('protocol'), port.protocol);
  if (port.appProtocol !== undefined) checkQualifiedName(out, at.child('appProtocol'), port.appProtocol);
}

function checkEndpoints(endpoints: DeepReadonly<Endpoints>): FieldError[] {
  const out = errorList();
  (endpoints.subsets ?? []).forEach((subset, i) => {
    const at = path('subsets').index(i);
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    if (addresses.length === 0 && notReadyAddresses.length === 0)
      out.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    addresses.forEach((address, j) => checkAddress(out, at.child('addresses').index(j), address));
    notReadyAddresses.forEach((address, j) => checkAddress(out, at.child('notReadyAddresses').index(j), address));
    ports.forEach((port, j) => checkPort(out, at.child('ports').index(j), port, ports.length > 1));
  });
  return out;
}

/** The controller's own are canonical. */
const CONTROLLER = 'endpoint-controller';

function warningsOf({ metadata, subsets }: DeepReadonly<Endpoints>): string[] {
  if (metadata.labels?.['endpoints.kubernetes.io/managed-by'] === CONTROLLER) return [];
  return list(subsets).flatMap((subset, i) =>
    (['addresses', 'notReadyAddresses'] as const).flatMap(field =>
      list(subset[field]).flatMap(({ ip }, j) =>
        ipWarnings(path('subsets').index(i).child(field).index(j).child('ip'), ip ?? ''),
      ),
    ),
  );
}

const SHOWN = 3;

/** The first three ready addresses with their ports. */
function endpointsCell(subsets: readonly Subset[]): string {
  if (subsets.length === 0) return NONE;
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => joinHostPort(ip, port))),
  );
  const shown = all.slice(0, SHOWN).join(',');
  return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown;
}

export const endpointsStrategy: Strategy<Endpoints> = {
  default(endpoints) {
    for (const subset of endpoints.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP';
  },
  validate: (_ctx, endpoints) => checkEndpoints(endpoints),
  validateUpdate(_ctx, endpoints) {
    const out = errorList();
    checkMetadataAgain(out, endpoints, { namespaced: true, name: nameIsDnsSubdomain });
    return [...out, ...checkEndpoints(endpoints)];
  },
  warnings: (_ctx, endpoints) => warningsOf(endpoints),
  cells: (endpoints, nowMs) => ({
    cells: [nameCell(endpoints), endpointsCell(endpoints.subsets ?? []), ageCell(endpoints, nowMs)],
  }),
};
