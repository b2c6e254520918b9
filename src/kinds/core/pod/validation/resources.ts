import { duplicate, forbidden, invalid, notFound, notSupported, required } from '../../../../machinery/field-error.js';
import type { FieldError, FieldPath } from '../../../../machinery/field-error.js';
import { canonicalQuantity } from '../../../../machinery/quantity-format.js';
import { checkDnsLabel, checkQualifiedName, isQualifiedName, sortedEntries } from '../../../validation/formats.js';
import { compareQuantities, isWhole, quantitySign, quantityValue } from '../../../validation/quantities.js';

export type ResourceList = Readonly<Record<string, string>>;

export interface ResourceRequirements {
  readonly limits?: ResourceList | undefined;
  readonly requests?: ResourceList | undefined;
  readonly claims?: readonly { readonly name: string; readonly request?: string | undefined }[] | undefined;
}

const STANDARD_CONTAINER = new Set(['cpu', 'memory', 'ephemeral-storage']);
const STANDARD = new Set([
  ...STANDARD_CONTAINER,
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
]);

/** Counted things: quotas on them must be whole numbers. */
const INTEGER = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);

export const isHugePage = (name: string): boolean => name.startsWith('hugepages-');
const isQuotaHugePage = (name: string): boolean => isHugePage(name) || name.startsWith('requests.hugepages-');
/** Unprefixed or *.kubernetes.io. */
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
/** Its quota form, requests.<name>, must be a qualified name too. */
export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`);
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePage(name);
export const isStandardQuota = (name: string): boolean =>
  (STANDARD.has(name) && name !== 'storage') || isQuotaHugePage(name);

/** A resource name as such: qualified, and known when it has no domain. */
export function checkResourceName(out: FieldError[], at: FieldPath, name: string): void {
  const before = out.length;
  checkQualifiedName(out, at, name);
  if (out.length > before || name.includes('/')) return;
  if (!STANDARD.has(name) && !isQuotaHugePage(name))
    out.push(invalid(at, name, 'must be a standard resource type or fully qualified'));
}

export function checkContainerResourceName(out: FieldError[], at: FieldPath, name: string): void {
  checkResourceName(out, at, name);
  if (!name.includes('/')) {
    if (!STANDARD_CONTAINER.has(name) && !isHugePage(name))
      out.push(invalid(at, name, 'must be a standard resource for containers'));
  } else if (!isNativeResource(name) && !isExtendedResource(name))
    out.push(invalid(at, name, "doesn't follow extended resource name standard"));
}

export function checkQuotaResourceName(out: FieldError[], at: FieldPath, name: string): void {
  checkResourceName(out, at, name);
  if (!name.includes('/') && !isStandardQuota(name))
    out.push(invalid(at, name, 'must be a standard resource for quota'));
}

const POD_LEVEL = ['cpu', 'hugepages-', 'memory'];

export function checkPodResourceName(out: FieldError[], at: FieldPath, name: string): void {
  const before = out.length;
  checkResourceName(out, at, name);
  if (out.length === before && name !== 'cpu' && name !== 'memory' && !isHugePage(name))
    out.push(notSupported(at, name, POD_LEVEL));
}

/** Not negative, whole where the resource is a count. `value` is canonical text. */
export function checkResourceQuantity(out: FieldError[], at: FieldPath, name: string, value: string): void {
  if (quantitySign(value) < 0) out.push(invalid(at, value, 'must be greater than or equal to 0'));
  if ((INTEGER.has(name) || isExtendedResource(name)) && !isWhole(value))
    out.push(invalid(at, value, 'must be an integer'));
}

function checkHugePageValue(out: FieldError[], at: FieldPath, name: string, value: string): void {
  const size = canonicalQuantity(name.slice('hugepages-'.length));
  const page = size === undefined ? 0n : quantityValue(size);
  if (page <= 0n || quantityValue(value) % page !== 0n)
    out.push(invalid(at, value, `${value} is not positive integer multiple of ${name}`));
}

/** The claims of a Pod, which its containers name. */
export interface PodClaims {
  has(name: string): boolean;
  /** All of them, as an error says it. */
  readonly text: string;
}

export function podClaims(names: ReadonlySet<string> = new Set()): PodClaims {
  let text: string | undefined;
  return {
    has: name => names.has(name),
    get text() {
      return (text ??= names.size === 0 ? ' which is empty' : `: ${[...names].sort().join(', ')}`);
    },
  };
}

function checkClaims(
  out: FieldError[],
  at: FieldPath,
  claims: NonNullable<ResourceRequirements['claims']>,
  ofPod: PodClaims,
): void {
  const names = new Set<string>();
  /** How many of the names begin with a claim's name and a slash. */
  const requests = new Map<string, number>();
  claims.forEach((claim, i) => {
    const item = at.index(i);
    if (!claim.name) return void out.push(required(item));
    if (names.has(claim.name)) out.push(duplicate(item, claim.name));
    else {
      const key = claim.request ? `${claim.name}/${claim.request}` : claim.name;
      if (claim.request) checkDnsLabel(out, item.child('request'), claim.request);
      if (names.has(key)) out.push(duplicate(item, key));
      else {
        const overlaps = claim.request ? 0 : (requests.get(claim.name) ?? 0);
        for (let other = 0; other < overlaps; other++) out.push(duplicate(item, claim.name));
        const slash = key.indexOf('/');
        const owner = key.slice(0, slash);
        if (slash >= 0) requests.set(owner, (requests.get(owner) ?? 0) + 1);
      }
      names.add(key);
    }
    if (ofPod.has(claim.name)) return;
    const error = notFound(item, claim.name);
    const text = `must be one of the names in pod.spec.resourceClaims${ofPod.text}`;
    out.push({ ...error, message: `${error.message}: ${text}` });
  });
}

/** Limits, requests and claims of a container or, with `checkName`, of something else that has them. */
export function checkResourceRequirements(
  out: FieldError[],
  at: FieldPath,
  requirements: ResourceRequirements | undefined,
  claims: PodClaims = podClaims(),
  checkName: (out: FieldError[], at: FieldPath, name: string) => void = checkContainerResourceName,
): void {
  if (requirements === undefined) return;
  let compute = false;
  let hugePages = false;
  const checkOne = (item: FieldPath, name: string, value: string): void => {
    checkName(out, item, name);
    checkResourceQuantity(out, item, name, value);
  };
  const note = (item: FieldPath, name: string, value: string): void => {
    if (isHugePage(name)) {
      hugePages = true;
      checkHugePageValue(out, item, name, value);
    }
    if (name === 'cpu' || name === 'memory') compute = true;
  };
  const limits = at.child('limits');
  for (const [name, value] of sortedEntries(requirements.limits)) {
    checkOne(limits.key(name), name, value);
    note(limits.key(name), name, value);
  }
  const requests = at.child('requests');
  for (const [name, value] of sortedEntries(requirements.requests)) {
    checkOne(requests.key(name), name, value);
    const limit = requirements.limits?.[name];
    if (limit !== undefined) {
      const order = compareQuantities(value, limit);
      if (order !== 0 && !isOvercommitAllowed(name))
        out.push(invalid(requests, value, `must be equal to ${name} limit of ${limit}`));
      else if (order > 0) out.push(invalid(requests, value, `must be less than or equal to ${name} limit of ${limit}`));
    } else if (!isOvercommitAllowed(name))
      out.push(required(limits, 'Limit must be set for non overcommitable resources'));
    note(requests.key(name), name, value);
  }
  if (!compute && hugePages) out.push(forbidden(at, 'HugePages require cpu or memory'));
  if (requirements.claims !== undefined) checkClaims(out, at.child('claims'), requirements.claims, claims);
}
