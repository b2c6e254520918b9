import type * as k8s from '@kubernetes/client-node';
import { errorList, invalid, path, required, type FieldError } from '../../machinery/field-error.js';
import { parsePrefix } from '../../machinery/cidr.js';
import type { Family } from '../../machinery/ip.js';
import type { DeepReadonly, KubeObject, Wire } from '../../machinery/types.js';
import { nameIsPathSegment, type NameCheck } from '../../machinery/validation/names.js';
import { FIELD_IMMUTABLE } from '../../machinery/validation/object-meta.js';
import type { Strategy } from '../../api/strategy.js';
import { checkDnsSubdomain, checkImmutable, list } from '../validation/formats.js';
import { goForm } from '../validation/go-form.js';
import { checkMetadataAgain } from '../validation/metadata.js';
import { checkStrictCidr, ipProblems } from '../validation/strict-ip.js';
import { ageCell, nameCell, NONE } from '../cells.js';

interface IpAddress extends KubeObject {
  spec?: { parentRef?: Wire<k8s.V1ParentReference> };
}
type ReadonlyAddress = DeepReadonly<IpAddress>;

const PARENT = path('spec', 'parentRef');
const isAddress: NameCheck = name => ipProblems(name);

function checkAddress({ metadata, spec }: ReadonlyAddress): FieldError[] {
  const out = errorList();
  const name = metadata.name ?? '';
  for (const text of ipProblems(name)) out.push(invalid(path('metadata', 'name'), name, text));
  const ref = spec?.parentRef;
  if (ref === undefined) return [...out, required(PARENT)];
  if (ref.group) checkDnsSubdomain(out, PARENT.child('group'), ref.group);
  for (const field of ['resource', 'name', 'namespace'] as const) {
    const value = ref[field] ?? '';
    if (value === '' && field !== 'namespace') out.push(required(PARENT.child(field)));
    for (const text of nameIsPathSegment(value, false)) out.push(invalid(PARENT.child(field), value, text));
  }
  return out;
}

function parentCell({ spec }: ReadonlyAddress): string {
  const ref = spec?.parentRef;
  if (ref === undefined) return NONE;
  const resource = ref.group ? `${ref.resource}.${ref.group}` : ref.resource;
  return [resource.toLowerCase(), ...(ref.namespace ? [ref.namespace] : []), ref.name].join('/');
}

export const ipAddressStrategy: Strategy<IpAddress> = {
  validate: (_ctx, address) => checkAddress(address),
  validateUpdate(_ctx, address, old) {
    const out = errorList();
    checkMetadataAgain(out, address, { namespaced: false, name: isAddress });
    for (const one of checkAddress(address)) out.push(one);
    const shown = goForm('ParentReference', address.spec?.parentRef);
    checkImmutable(out, PARENT, address.spec?.parentRef, old.spec?.parentRef, shown);
    return out;
  },
  cells: (address, nowMs) => ({ cells: [nameCell(address), parentCell(address), ageCell(address, nowMs)] }),
};

interface ServiceCidr extends KubeObject {
  spec?: { cidrs?: string[] };
}
type ReadonlyCidr = DeepReadonly<ServiceCidr>;

const CIDRS = path('spec', 'cidrs');
/** undefined: it is malformed, which is told of it already. */
const familyOf = (cidr: string): Family | undefined => parsePrefix(cidr)?.ip.family;

const isOfOneFamily = (a: string, b: string): boolean => familyOf(a) !== undefined && familyOf(a) === familyOf(b);

function checkCidrs({ spec }: ReadonlyCidr): FieldError[] {
  const out = errorList();
  const cidrs = list(spec?.cidrs);
  if (cidrs.length === 0) return [required(CIDRS, 'at least one CIDR required')];
  if (cidrs.length > 2) return [invalid(CIDRS, goForm('ServiceCIDRSpec', spec), 'may only hold up to 2 values')];
  cidrs.forEach((cidr, i) => checkStrictCidr(out, CIDRS.index(i), cidr));
  const [first, second] = cidrs;
  if (first !== undefined && second !== undefined && isOfOneFamily(first, second)) {
    const text = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    out.push(invalid(CIDRS, cidrs, text));
  }
  return out;
}

/** A range stays what it is; one of the other family may join it. */
function checkCidrsUpdate(now: ReadonlyCidr, old: ReadonlyCidr): FieldError[] {
  const [cidrs, before] = [list(now.spec?.cidrs), list(old.spec?.cidrs)];
  const changed = before.flatMap((cidr, i) =>
    cidrs[i] === cidr ? [] : [invalid(CIDRS.index(i), cidrs[i] ?? '', FIELD_IMMUTABLE)],
  );
  if (cidrs.length === before.length) return changed;
  if (before.length === 1 && cidrs.length === 2) return [...changed, ...checkCidrs(now)];
  return [invalid(CIDRS, cidrs, FIELD_IMMUTABLE)];
}

export const serviceCidrStrategy: Strategy<ServiceCidr> = {
  validate: (_ctx, cidr) => checkCidrs(cidr),
  validateUpdate: (_ctx, cidr, old) => checkCidrsUpdate(cidr, old),
  cells: (cidr, nowMs) => ({ cells: [nameCell(cidr), list(cidr.spec?.cidrs).join(','), ageCell(cidr, nowMs)] }),
};
