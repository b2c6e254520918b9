import type { DeepReadonly, Node } from '../../machinery/types.js';
import { NODES } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';

const toNumber = (ip: string): number => ip.split('.').reduce((n, part) => n * 256 + Number(part), 0);
const toText = (n: number): string => [24, 16, 8, 0].map(shift => Math.floor(n / 2 ** shift) % 256).join('.');

/** Hands out equal slices of one IPv4 range, lowest first. */
export interface CidrSet {
  /** Marks a slice as taken; false when it is not one of this set's. */
  occupy(cidr: string): boolean;
  /** undefined: the range is full. */
  allocate(): string | undefined;
  release(cidr: string): void;
}

/** @throws RangeError for a range that is no IPv4 CIDR or is smaller than a slice */
export function createCidrSet(clusterCidr: string, maskSize: number): CidrSet {
  const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(clusterCidr);
  const prefix = Number(match?.[2]);
  if (match?.[1] === undefined || prefix > maskSize || maskSize > 30)
    throw new RangeError(`cluster CIDR ${clusterCidr} cannot be divided into /${maskSize} ranges`);
  const size = 2 ** (32 - maskSize);
  const base = Math.floor(toNumber(match[1]) / size) * size;
  const count = 2 ** (maskSize - prefix);
  const taken = new Set<number>();
  const indexOf = (cidr: string): number | undefined => {
    const [ip = '', mask] = cidr.split('/');
    const index = (toNumber(ip) - base) / size;
    return Number(mask) === maskSize && Number.isInteger(index) && index >= 0 && index < count ? index : undefined;
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
        return `${toText(base + index * size)}/${maskSize}`;
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
