import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, Service } from '../../machinery/types.js';
import { SERVICES } from '../../client/resources.js';
import { keyOf, splitKey } from '../../client/types.js';
import type { ControllerDefinition } from '../controller.js';
import type { AddressPool } from './address-pool.js';
import { createAddressPools } from './address-pools.js';
import { loadBalancerChange } from './changes.js';
import {
  CLEANUP_FINALIZER,
  hasFinalizer,
  heldAddresses,
  isDeleting,
  needsCleanup,
  refusal,
  shownAddress,
  showsOnly,
  takeAddresses,
  wantsLoadBalancer,
} from './load-balancer.js';

type ReadonlyService = DeepReadonly<Service>;

/**
 * Gives Services of type LoadBalancer an address of a range, or one of each of their families, as a cloud's balancer would (cloud-provider's service
 * controller). Who has which address is what the Services' status says: all of them are seen before the first is
 * reconciled, so that an address stays where it was over a restart.
 */
export const serviceLbController: ControllerDefinition = {
  name: 'service-lb-controller',
  aliases: ['service'],
  workers: 1,
  retry: { baseMs: 5_000, maxMs: 300_000 },
  build({ client, informers, queue, options, recorder }) {
    const { loadBalancerCidr } = options;
    if (loadBalancerCidr === undefined) return { reconcile: async () => undefined };
    const pools = createAddressPools(loadBalancerCidr);
    const services = informers.informer<Service>(SERVICES);
    const writer = client.resource<Service>(SERVICES);
    const events = recorder('service-controller');
    /** Services that were refused, with why, which is told once; those that have waited longest are asked first. */
    const waiting = new Map<string, string>();

    const isEnsured = (service: ReadonlyService): boolean => wantsLoadBalancer(service) && !isDeleting(service);
    const askAgain = (): void => {
      for (const key of waiting.keys()) queue.add(key);
    };
    const release = (key: string, from: Pick<AddressPool, 'release'> = pools): void => {
      if (from.release(key)) askAgain();
    };
    const remember = (service: ReadonlyService): void => {
      const key = keyOf(service);
      if (!isEnsured(service)) waiting.delete(key);
      // What is to be cleaned up keeps its address until it is. What somebody else gave out is not given again.
      const isOurs = isEnsured(service) || needsCleanup(service);
      for (const pool of pools.all) {
        const shown = shownAddress(service, pool);
        if (!isOurs && pool.addressOf(key) !== shown) release(key, pool);
        if (shown !== undefined && pool.addressOf(key) === undefined) pool.take(key, shown);
      }
    };
    /** What somebody took away is put back. */
    const isSpoilt = (old: ReadonlyService, service: ReadonlyService): boolean => {
      const held = heldAddresses(service, keyOf(service), pools);
      if (!isEnsured(service) || held.length === 0) return false;
      return (hasFinalizer(old) && !hasFinalizer(service)) || (showsOnly(old, held) && !showsOnly(service, held));
    };
    services.addHandler({
      add(service) {
        remember(service);
        if (isEnsured(service) || needsCleanup(service)) queue.add(keyOf(service));
      },
      update(old, service) {
        remember(service);
        const change = loadBalancerChange(old, service);
        if (change?.event !== undefined) events.event(service, 'Normal', change.event.reason, change.event.message);
        if (change !== undefined || needsCleanup(service) || isSpoilt(old, service)) queue.add(keyOf(service));
      },
      delete(service) {
        waiting.delete(keyOf(service));
        release(keyOf(service));
      },
    });

    /** By its status, as the service controller does: that is all its role allows. A namesake is left alone. */
    const patch = (service: ReadonlyService, metadata: object, status?: object): Promise<Service> => {
      const body = {
        metadata: { uid: service.metadata.uid, ...metadata },
        ...(status === undefined ? {} : { status }),
      };
      return writer.patch(splitKey(keyOf(service)), body, { type: 'strategic', subresource: 'status' });
    };
    const failed = (service: ReadonlyService, text: string): void =>
      events.event(service, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: ${text}`);

    const cleanUp = async (key: string, service: ReadonlyService): Promise<void> => {
      if (pools.addressesOf(key).length > 0)
        events.event(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer');
      const metadata = { '$deleteFromPrimitiveList/finalizers': [CLEANUP_FINALIZER] };
      await patch(service, metadata, { loadBalancer: { ingress: null } });
      events.event(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
      release(key);
    };
    const ensure = async (key: string, service: ReadonlyService): Promise<void> => {
      const known = waiting.get(key);
      if (known !== undefined && known === refusal(service, key, pools)) return;
      waiting.delete(key);
      events.event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
      if (!hasFinalizer(service)) await patch(service, { finalizers: [CLEANUP_FINALIZER] });
      const before = pools.addressesOf(key);
      const addresses = takeAddresses(service, key, pools);
      if (addresses === undefined) {
        const reason = refusal(service, key, pools) ?? '';
        waiting.set(key, reason);
        return failed(service, `failed to ensure load balancer: ${reason}`);
      }
      events.event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
      if (!showsOnly(service, addresses))
        await patch(service, {}, { loadBalancer: { ingress: addresses.map(ip => ({ ip, ipMode: 'VIP' })) } });
      if (before.some(address => !addresses.includes(address))) askAgain();
    };
    return {
      async reconcile(key) {
        const service = services.indexer.get(key);
        if (service === undefined) return;
        try {
          if (needsCleanup(service)) await cleanUp(key, service);
          else if (isEnsured(service)) await ensure(key, service);
        } catch (error) {
          // It went meanwhile, and its address with it.
          if (isStatusError(error, 'NotFound')) return;
          if (!isStatusError(error, 'Conflict')) failed(service, (error as Error).message);
          throw error;
        }
      },
    };
  },
};
