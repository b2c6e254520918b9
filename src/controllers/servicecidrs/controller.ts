import { formatTime } from '../../machinery/clock.js';
import { isStatusError } from '../../machinery/status.js';
import type { DeepReadonly, IPAddress, ServiceCIDR } from '../../machinery/types.js';
import { IP_ADDRESSES, SERVICE_CIDRS } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';
import { canGo, holdersOf, isAllocated, overlapping } from './ranges.js';

const NAME = 'service-cidr-controller';
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
/** How long API servers may take to see that a range goes: until then they may still give an address of it. */
const GRACE_MS = 10_000;

type ReadonlyCidr = DeepReadonly<ServiceCIDR>;

interface Ready {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}
const READY: Ready = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' };
const IN_USE: Ready = {
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};

/** Says which ranges Services may have addresses of, and keeps one that goes while it is needed (pkg/controller/servicecidrs). */
export const serviceCidrController: ControllerDefinition = {
  name: NAME,
  aliases: [],
  workers: 5,
  build({ client, informers, queue, recorder, clock }) {
    const cidrs = informers.informer<ServiceCIDR>(SERVICE_CIDRS);
    const addresses = informers.informer<IPAddress>(IP_ADDRESSES);
    const writer = client.resource<ServiceCIDR>(SERVICE_CIDRS);
    const events = recorder(NAME);

    const nameOf = ({ metadata }: ReadonlyCidr): string => metadata.name ?? '';
    const all = (): ReadonlyCidr[] => [...cidrs.indexer.list()];
    cidrs.addHandler({
      add(cidr) {
        // It may hold what others are kept for.
        for (const other of overlapping(cidr, all())) queue.add(nameOf(other));
        queue.add(nameOf(cidr));
      },
      update: (_old, cidr) => queue.add(nameOf(cidr)),
    });
    const addressChanged = (address: DeepReadonly<IPAddress>): void => {
      if (!isAllocated(address)) return;
      for (const cidr of holdersOf(address.metadata.name ?? '', all())) queue.add(nameOf(cidr));
    };
    addresses.addHandler({ add: addressChanged, delete: addressChanged });

    const setFinalizer = async (cidr: ReadonlyCidr, wanted: boolean): Promise<void> => {
      if (cidr.metadata.finalizers?.includes(FINALIZER) === wanted) return;
      const metadata = { [wanted ? 'finalizers' : '$deleteFromPrimitiveList/finalizers']: [FINALIZER] };
      await writer.patch({ namespace: '', name: nameOf(cidr) }, { metadata }, { type: 'strategic' });
    };
    const setReady = async (cidr: ReadonlyCidr, ready: Ready): Promise<void> => {
      const old = cidr.status?.conditions?.find(({ type }) => type === 'Ready');
      if (old?.status === ready.status && old.reason === ready.reason && old.message === ready.message) return;
      const condition = { type: 'Ready', ...ready, lastTransitionTime: formatTime(clock.now()) };
      const name = nameOf(cidr);
      const wanted = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'ServiceCIDR',
        metadata: { name },
        status: { conditions: [condition] },
      };
      await writer.patch({ namespace: '', name }, wanted, {
        type: 'apply',
        fieldManager: NAME,
        force: true,
        subresource: 'status',
      });
    };
    const ensure = async (cidr: ReadonlyCidr): Promise<void> => {
      await setFinalizer(cidr, true);
      try {
        await setReady(cidr, READY);
      } catch (error) {
        const text = 'The ServiceCIDR Status can not be set to Ready=True';
        events.event(cidr, 'Warning', 'KubernetesServiceCIDRError', text);
        throw error;
      }
    };
    const remove = async (cidr: ReadonlyCidr, since: string): Promise<void> => {
      if (!canGo(cidr, all(), addresses.indexer.list())) return setReady(cidr, IN_USE);
      const left = GRACE_MS - (clock.now() - Date.parse(since));
      if (left > 0) return queue.addAfter(nameOf(cidr), left);
      if (cidr.metadata.finalizers?.includes(FINALIZER) === true) await setFinalizer(cidr, false);
    };
    return {
      async reconcile(name) {
        const cidr = cidrs.indexer.get(name);
        if (cidr === undefined) return;
        const { deletionTimestamp } = cidr.metadata;
        try {
          await (deletionTimestamp === undefined ? ensure(cidr) : remove(cidr, deletionTimestamp));
        } catch (error) {
          if (!isStatusError(error, 'NotFound')) throw error;
        }
      },
    };
  },
};
