import type { DeepReadonly, Service } from '../../machinery/types.js';
import type { AddressPool } from './address-pool.js';
import type { AddressPools } from './address-pools.js';

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

/** Whether the status says just these addresses. */
export function showsOnly(service: ReadonlyService, addresses: readonly string[]): boolean {
  const ingress = ingressOf(service);
  return (
    ingress.length === addresses.length &&
    ingress.every(({ ip, ipMode, hostname }, i) => ip === addresses[i] && ipMode === 'VIP' && hostname === undefined)
  );
}

/** Why the pools cannot give the Service what it asks for; undefined: they can. */
export function refusal(service: ReadonlyService, holder: string, pools: AddressPools): string | undefined {
  const { ipFamilies, loadBalancerIP: asked = '' } = service.spec ?? {};
  const wanted = pools.of(ipFamilies);
  if (wanted.length === 0)
    return `${pools.ranges} has no addresses of the Service's family, ${(ipFamilies ?? []).join(', ')}`;
  const named = wanted.find(pool => pool.contains(asked));
  if (asked !== '' && named === undefined) {
    const ranges = wanted.map(({ range }) => range).join(', ');
    return `load balancer IP ${asked} is no address of ${ranges}`;
  }
  if (named !== undefined && named.addressOf(holder) !== asked && !named.isFree(asked))
    return `load balancer IP ${asked} is in use`;
  const full = wanted.find(pool => pool !== named && pool.isFull && pool.addressOf(holder) === undefined);
  return full === undefined ? undefined : `no address of ${full.range} is free`;
}

/**
 * Takes, of each of its families, what the Service asks for, or what it has, or the lowest that is free. What it has of others
 * is free then. undefined: it was refused, and has what it had.
 */
export function takeAddresses(service: ReadonlyService, holder: string, pools: AddressPools): string[] | undefined {
  if (refusal(service, holder, pools) !== undefined) return undefined;
  const { ipFamilies, loadBalancerIP: asked = '' } = service.spec ?? {};
  const wanted = pools.of(ipFamilies);
  for (const pool of pools.all) if (!wanted.includes(pool)) pool.release(holder);
  return wanted.flatMap(pool => {
    if (pool.contains(asked)) pool.take(holder, asked);
    return pool.addressOf(holder) ?? pool.takeLowest(holder) ?? [];
  });
}

/** What the Service has, in the order of its families. */
export const heldAddresses = (service: ReadonlyService, holder: string, pools: AddressPools): string[] =>
  pools.of(service.spec?.ipFamilies).flatMap(pool => pool.addressOf(holder) ?? []);
