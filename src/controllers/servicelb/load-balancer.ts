import type { DeepReadonly, Service } from '../../machinery/types.js';
import type { AddressPool } from './address-pool.js';

type ReadonlyService = DeepReadonly<Service>;

/** Keeps a Service until its load balancer is gone. */
export const CLEANUP_FINALIZER = 'service.kubernetes.io/load-balancer-cleanup';

export const isDeleting = ({ metadata }: ReadonlyService): boolean => metadata.deletionTimestamp !== undefined;

export const hasFinalizer = ({ metadata }: ReadonlyService): boolean =>
  metadata.finalizers?.includes(CLEANUP_FINALIZER) === true;

/** One that names a class wants the load balancer of whoever serves that class. */
export const wantsLoadBalancer = ({ spec }: ReadonlyService): boolean =>
  spec?.type === 'LoadBalancer' && spec.loadBalancerClass === undefined;

export const needsCleanup = (service: ReadonlyService): boolean =>
  hasFinalizer(service) && (isDeleting(service) || service.spec?.type !== 'LoadBalancer');

const ingressOf = ({
  status,
}: ReadonlyService): DeepReadonly<{ ip?: string; ipMode?: string; hostname?: string }>[] => [
  ...(status?.loadBalancer?.ingress ?? []),
];

/** The address of the pool that the status says. */
export const shownAddress = (service: ReadonlyService, pool: AddressPool): string | undefined =>
  ingressOf(service).find(({ ip }) => ip !== undefined && pool.contains(ip))?.ip;

/** Whether the status says just this address. */
export function showsOnly(service: ReadonlyService, address: string): boolean {
  const [first, ...others] = ingressOf(service);
  return others.length === 0 && first?.ip === address && first.ipMode === 'VIP' && first.hostname === undefined;
}

/** Why the pool cannot give the Service what it asks for; undefined: it can. */
export function refusal(service: ReadonlyService, holder: string, pool: AddressPool): string | undefined {
  const { ipFamilies, loadBalancerIP: asked = '' } = service.spec ?? {};
  if (ipFamilies?.includes(pool.family) === false)
    return `${pool.range} has no addresses of the Service's family, ${ipFamilies.join(', ')}`;
  const held = pool.addressOf(holder);
  if (asked === '') return held === undefined && pool.isFull ? `no address of ${pool.range} is free` : undefined;
  if (!pool.contains(asked)) return `load balancer IP ${asked} is no address of ${pool.range}`;
  return held === asked || pool.isFree(asked) ? undefined : `load balancer IP ${asked} is in use`;
}

/** Takes what the Service asks for, or what it has, or the lowest that is free; undefined: it was refused. */
export function takeAddress(service: ReadonlyService, holder: string, pool: AddressPool): string | undefined {
  if (refusal(service, holder, pool) !== undefined) return undefined;
  const { loadBalancerIP: asked = '' } = service.spec ?? {};
  if (asked !== '') pool.take(holder, asked);
  return pool.addressOf(holder) ?? pool.takeLowest(holder);
}
