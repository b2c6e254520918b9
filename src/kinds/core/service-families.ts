import { errorList, errorsOf, invalid, path, type FieldError } from '../../machinery/field-error.js';
import { invalidError } from '../../machinery/status.js';
import type { Service } from '../../machinery/types.js';
import type { IpFamily } from './ip-allocator.js';
import { legacyIpFamily } from '../../machinery/legacy-ip.js';
import { checkClusterIps } from './validation/service-cluster-ips.js';
import type { ReadonlyService, ServiceSpec } from './validation/service-spec.js';

/** Source: pkg/registry/core/service/storage/alloc.go, initIPFamilyFields. */
type Spec = NonNullable<Service['spec']>;

const SPEC = path('spec');
const POLICY = SPEC.child('ipFamilyPolicy');

export const refuseService = (service: ReadonlyService, errors: readonly FieldError[]): never => {
  throw invalidError({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors);
};

const same = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  (a ?? []).length === (b ?? []).length && (a ?? []).every((value, i) => value === b?.[i]);

const lengthOf = (list: readonly string[] | undefined): number => list?.length ?? 0;

export const sameClusterIps = (spec: ServiceSpec, old: ServiceSpec): boolean => same(spec.clusterIPs, old.clusterIPs);

/** One that prefers two addresses and says nothing new keeps what it has, whatever became of the cluster. */
export const keepsPreferDualStack = (spec: ServiceSpec, old: ServiceSpec): boolean =>
  spec.type === old.type &&
  ['ClusterIP', 'NodePort', 'LoadBalancer'].includes(spec.type ?? '') &&
  spec.ipFamilyPolicy === 'PreferDualStack' &&
  (old.ipFamilyPolicy ?? 'PreferDualStack') === 'PreferDualStack' &&
  sameClusterIps(spec, old) &&
  same(spec.ipFamilies, old.ipFamilies);

const isHeadlessWithoutSelector = (spec: ServiceSpec): boolean =>
  spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;

const otherFamily = (family: string | undefined): IpFamily => (family === 'IPv4' ? 'IPv6' : 'IPv4');

/** The policy alone says that the second address goes; without it nothing may be left out. */
function checkReduced(errors: FieldError[], spec: Spec, old: ServiceSpec): void {
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (lengthOf(spec.clusterIPs) > 1 && sameClusterIps(spec, old))
      spec.clusterIPs = spec.clusterIPs?.slice(0, 1) ?? [];
    if (lengthOf(spec.ipFamilies) > 1 && same(spec.ipFamilies, old.ipFamilies))
      spec.ipFamilies = spec.ipFamilies?.slice(0, 1) ?? [];
    return;
  }
  const reduced = (field: 'clusterIPs' | 'ipFamilies'): boolean =>
    lengthOf(spec[field]) > 0 && lengthOf(spec[field]) < lengthOf(old[field]);
  if (reduced('clusterIPs'))
    errors.push(invalid(POLICY, spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP"));
  if (reduced('ipFamilies'))
    errors.push(invalid(POLICY, spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family"));
}

function checkSingle(errors: FieldError[], spec: Spec): void {
  if (spec.ipFamilyPolicy !== 'SingleStack') return;
  const must = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
  if (lengthOf(spec.clusterIPs) === 2)
    errors.push(invalid(POLICY, spec.ipFamilyPolicy, `${must} cluster IPs are specified`));
  if (lengthOf(spec.ipFamilies) === 2)
    errors.push(invalid(POLICY, spec.ipFamilyPolicy, `${must} IP families are specified`));
}

/** The families that are named, and after them those of the addresses that are. */
function namedFamilies(errors: FieldError[], spec: Spec, configured: readonly IpFamily[]): string[] {
  const families: string[] = [...(spec.ipFamilies ?? [])];
  const ips = spec.clusterIPs ?? [];
  for (const [i, ip] of ips.entries()) {
    if (ip === 'None') break;
    if (i < families.length) continue;
    const family = legacyIpFamily(ip);
    if (configured.includes(family)) families.push(family);
    else errors.push(invalid(SPEC.child('clusterIPs').index(i), ips, `${family} is not configured on this cluster`));
  }
  return families;
}

/**
 * Fills in ipFamilyPolicy and ipFamilies. `configured`: the families of this cluster, its default first.
 * @throws StatusError for what this cluster does not have
 */
export function initFamilies(
  service: Service & { spec: Spec },
  old: ServiceSpec | undefined,
  configured: readonly IpFamily[],
): void {
  const { spec } = service;
  if (spec.type === 'ExternalName' || (old !== undefined && keepsPreferDualStack(spec, old))) return;
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (isHeadlessWithoutSelector(spec) ? 'RequireDualStack' : 'SingleStack');
  const wrong = errorsOf(() => {
    const found = errorList();
    checkClusterIps(found, spec);
    return found;
  });
  if (wrong.length > 0) refuseService(service, wrong);
  const errors = errorList();
  if (old !== undefined) checkReduced(errors, spec, old);
  checkSingle(errors, spec);
  const families = namedFamilies(errors, spec, configured);
  if (errors.length > 0) refuseService(service, errors);
  const wantsTwo = spec.ipFamilyPolicy !== 'SingleStack';
  // Where its endpoints are is not for this cluster to say, so it may have a family that the cluster does not.
  const isFree = isHeadlessWithoutSelector(spec);
  if (!isFree) {
    if (spec.ipFamilyPolicy === 'RequireDualStack' && configured.length < 2)
      errors.push(invalid(POLICY, spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
    families.forEach((family, i) => {
      if (!configured.some(one => one === family))
        errors.push(invalid(SPEC.child('ipFamilies').index(i), family, 'not configured on this cluster'));
    });
    if (errors.length > 0) refuseService(service, errors);
  }
  if (families.length === 0) families.push(configured[0] ?? 'IPv4');
  if (wantsTwo && families.length === 1 && (isFree || configured.length === 2)) families.push(otherFamily(families[0]));
  spec.ipFamilies = families;
}
