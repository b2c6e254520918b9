import { parseCidr } from '../../machinery/cidr.js';
import { bitsOf, formatIP } from '../../machinery/ip.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';
import { NODES } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';

/** Hands out equal slices of one range, lowest first. */
export interface CidrSet {
  /** Marks a slice as taken; false when it is not one of this set's. */
  occupy(cidr: string): boolean;
  /** undefined: the range is full. */
  allocate(): string | undefined;
  release(cidr: string): void;
}

/** @throws RangeError for a range that is no CIDR or is smaller than a slice */
export function createCidrSet(clusterCidr: string, maskSize: number): CidrSet {
  const range = parseCidr(clusterCidr);
  if (range === undefined || range.prefix > maskSize || maskSize > bitsOf(range.family) - 2)
    throw new RangeError(`cluster CIDR ${clusterCidr} cannot be divided into /${maskSize} ranges`);
  const { family, first } = range;
  const size = 1n << BigInt(bitsOf(family) - maskSize);
  const count = 2 ** (maskSize - range.prefix);
  const taken = new Set<number>();
  const indexOf = (text: string): number | undefined => {
    const cidr = parseCidr(text);
    return cidr?.prefix === maskSize && range.contains(cidr.network) ? Number((cidr.first - first) / size) : undefined;
  };
  return {
    occupy(cidr) {
      const index = indexOf(cidr);
      if (index !== undefined) taken.add(index);
      return index !== undefined;
    },
    allocate() {
      for (let index = 0; index < count; index++) {
        if (taken.has(index)) continue;
        taken.add(index);
        return `${formatIP({ family, value: first + BigInt(index) * size })}/${maskSize}`;
      }
      return undefined;
    },
    release(cidr) {
      const index = indexOf(cidr);
      if (index !== undefined) taken.delete(index);
    },
  };
}

/** Gives every Node a podCIDR of the cluster's range (pkg/controller/nodeipam, range allocator). */
export const nodeIpamController: ControllerDefinition = {
  name: 'node-ipam-controller',
  aliases: ['nodeipam'],
  workers: 1,
  build({ client, informers, queue, options, recorder, log }) {
    const { clusterCidr } = options;
    const nodes = informers.informer<Node>(NODES);
    const writer = client.resource<Node>(NODES);
    if (clusterCidr === undefined) return { reconcile: async () => undefined };
    const cidrs = createCidrSet(clusterCidr, options.nodeCidrMaskSize);
    const events = recorder('cidrAllocator');
    const seen = (node: DeepReadonly<Node>): void => {
      const cidr = node.spec?.podCIDR;
      if (cidr === undefined) return queue.add(node.metadata.name ?? '');
      if (!cidrs.occupy(cidr)) log.warn({ node: node.metadata.name, cidr }, 'podCIDR lies outside the cluster CIDR');
    };
    nodes.addHandler({
      add: seen,
      update: (_old, node) => seen(node),
      delete: node => {
        if (node.spec?.podCIDR !== undefined) cidrs.release(node.spec.podCIDR);
      },
    });
    return {
      async reconcile(name) {
        const node = nodes.indexer.get(name);
        if (node === undefined || node.spec?.podCIDR !== undefined) return;
        const cidr = cidrs.allocate();
        if (cidr === undefined) {
          events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
          throw new Error(`no free range left in ${clusterCidr}`);
        }
        try {
          await writer.patch(
            { namespace: '', name },
            { spec: { podCIDR: cidr, podCIDRs: [cidr] } },
            { type: 'strategic' },
          );
        } catch (error) {
          cidrs.release(cidr);
          throw error;
        }
      },
    };
  },
};
