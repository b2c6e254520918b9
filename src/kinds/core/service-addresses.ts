import { invalid, path } from '../../machinery/field-error.js';
import { internalError } from '../../machinery/status.js';
import type { Service } from '../../machinery/types.js';
import { AllocationError, type IpAllocator, type IpFamily, type IsTaken } from './ip-allocator.js';
import { keepsPreferDualStack, refuseService } from './service-families.js';
import type { ServiceSpec } from './validation/service-spec.js';

/** Source: pkg/registry/core/service/storage/alloc.go, allocClusterIPs and updateClusterIPs. */
type Mutable = Service & { spec: NonNullable<Service['spec']> };

export interface AddressAllocators {
  /** A range for each family of the cluster. */
  readonly ips: ReadonlyMap<IpFamily, IpAllocator>;
  readonly isIpTaken: IsTaken<string>;
}

/** The text of an allocator's refusal; anything else is a bug and goes on. */
export const textOf = (error: unknown): string => {
  if (error instanceof AllocationError) return error.message;
  throw error;
};

/** The API server's own Service has the first address of the range. */
const isKubernetes = ({ metadata }: Service): boolean =>
  metadata.namespace === 'default' && metadata.name === 'kubernetes';

/** Chooses clusterIPs[index], or takes the one that is named there. @throws StatusError */
function allocateOne(service: Mutable, index: number, allocators: AddressAllocators, dryRun: boolean): string {
  const { clusterIPs = [], ipFamilies = [] } = service.spec;
  const family = ipFamilies[index];
  const ips = family === 'IPv4' || family === 'IPv6' ? allocators.ips.get(family) : undefined;
  if (ips === undefined) throw new Error(`the family ${family ?? ''} of a Service has no range`);
  const asked = clusterIPs[index] ?? '';
  const named = asked === '' && index === 0 && isKubernetes(service) ? ips.first : asked;
  try {
    if (asked === '' && dryRun) return ips.network;
    if (named === '') return ips.next(allocators.isIpTaken);
    // A dry run does not ask who has it.
    ips.check(named, dryRun ? () => false : allocators.isIpTaken);
    return named;
  } catch (error) {
    const text = textOf(error);
    if (asked === '') throw internalError(`failed to allocate a serviceIP: ${text}`);
    const at = path('spec', 'clusterIPs');
    return refuseService(service, [invalid(at, clusterIPs, `failed to allocate IP ${asked}: ${text}`)]);
  }
}

/** An address of each family from `first` on. */
function allocate(service: Mutable, first: number, allocators: AddressAllocators, dryRun: boolean): void {
  const { spec } = service;
  const count = spec.ipFamilies?.length ?? 0;
  // Those to be chosen are empty meanwhile: so they are seen in what is said of the others.
  const ips = (spec.clusterIPs = [...(spec.clusterIPs ?? [])]);
  while (ips.length < count) ips.push('');
  for (let i = first; i < count; i++) ips[i] = allocateOne(service, i, allocators, dryRun);
  if (ips[0] !== undefined) spec.clusterIP = ips[0];
}

/** What is released needs nobody's doing: it is no longer among those that the Service holds. @throws StatusError */
export function allocateAddresses(
  service: Mutable,
  old: ServiceSpec | undefined,
  allocators: AddressAllocators,
  dryRun: boolean,
): void {
  const { spec } = service;
  if (spec.type === 'ExternalName') return;
  if (old === undefined || old.type === 'ExternalName') {
    if (spec.clusterIPs?.[0] !== 'None') allocate(service, 0, allocators, dryRun);
    return;
  }
  if (keepsPreferDualStack(spec, old) || old.clusterIPs?.[0] === 'None') return;
  if (old.ipFamilies?.length === 1 && spec.ipFamilies?.length === 2) allocate(service, 1, allocators, dryRun);
}
