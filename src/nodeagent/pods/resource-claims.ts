import type { Sources } from './sources.js';
import type { ReadonlyPod } from './types.js';

/**
 * Why the devices that a Pod claims cannot be prepared; undefined when it claims none. There are no device drivers on a
 * simulated node, so a claim that is allocated names one that is not there (kubelet cm/dra).
 */
export async function unpreparedClaim(pod: ReadonlyPod, sources: Sources): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  for (const { name, resourceClaimName } of pod.spec?.resourceClaims ?? []) {
    const made = pod.status?.resourceClaimStatuses?.find(s => s.name === name);
    // Made from a template, and found to need none.
    if (made !== undefined && made.resourceClaimName === undefined) continue;
    const claimName = resourceClaimName ?? made?.resourceClaimName;
    const failed = (why: string): string => `Failed to prepare dynamic resources: prepare dynamic resources: ${why}`;
    if (claimName === undefined)
      return failed(`pod "${namespace}/${pod.metadata.name ?? ''}": ResourceClaim not created yet`);
    const claim = await sources.resourceClaim(namespace, claimName);
    if (claim === undefined)
      return failed(`fetch ResourceClaim ${claimName}: resourceclaims.resource.k8s.io "${claimName}" not found`);
    const reserved = claim.status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid) === true;
    if (!reserved)
      return failed(
        `pod ${pod.metadata.name ?? ''} (${pod.metadata.uid ?? ''}) is not allowed to use ResourceClaim ${claimName} (${claim.metadata.uid ?? ''})`,
      );
    const driver = claim.status?.allocation?.devices?.results?.[0]?.driver;
    if (driver !== undefined) return failed(`ResourceClaim ${claimName}: DRA driver ${driver} is not registered`);
  }
  return undefined;
}
