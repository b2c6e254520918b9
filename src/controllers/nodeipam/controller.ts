import type { DeepReadonly, Node } from '../../machinery/types.js';
import { NODES } from '../../client/resources.js';
import type { ControllerDefinition } from '../controller.js';
import { createCidrSet } from './cidr-set.js';
import { clusterRanges } from './cluster-ranges.js';

const podCidrs = ({ spec }: DeepReadonly<Node>): readonly string[] =>
  spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR]);

/** Gives every Node a podCIDR of each of the cluster's ranges (pkg/controller/nodeipam, range allocator). */
export const nodeIpamController: ControllerDefinition = {
  name: 'node-ipam-controller',
  aliases: ['nodeipam'],
  workers: 1,
  build({ client, informers, queue, options, recorder, log }) {
    const { clusterCidr, nodeCidrMaskSizes = {} } = options;
    const nodes = informers.informer<Node>(NODES);
    const writer = client.resource<Node>(NODES);
    if (clusterCidr === undefined) return { reconcile: async () => undefined };
    const sets = clusterRanges(clusterCidr, nodeCidrMaskSizes).map(({ cidr, maskSize }) =>
      createCidrSet(cidr, maskSize),
    );
    const events = recorder('cidrAllocator');
    const release = (cidrs: readonly string[]): void => {
      for (const cidr of cidrs) for (const set of sets) set.release(cidr);
    };
    const seen = (node: DeepReadonly<Node>): void => {
      const cidrs = podCidrs(node);
      if (cidrs.length === 0) return queue.add(node.metadata.name ?? '');
      for (const cidr of cidrs)
        if (!sets.some(set => set.occupy(cidr)))
          log.warn({ node: node.metadata.name, cidr }, 'podCIDR lies outside the cluster CIDR');
    };
    nodes.addHandler({
      add: seen,
      update: (_old, node) => seen(node),
      delete: node => release(podCidrs(node)),
    });
    return {
      async reconcile(name) {
        const node = nodes.indexer.get(name);
        if (node === undefined || node.metadata.deletionTimestamp !== undefined || podCidrs(node).length > 0) return;
        const given: string[] = [];
        for (const [index, set] of sets.entries()) {
          const cidr = set.allocate();
          if (cidr !== undefined) {
            given.push(cidr);
            continue;
          }
          release(given);
          events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
          throw new Error(
            `failed to allocate cidr from cluster cidr at idx:${index}: CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range`,
          );
        }
        try {
          const spec = { podCIDR: given[0] ?? '', podCIDRs: given };
          await writer.patch({ namespace: '', name }, { spec }, { type: 'strategic' });
        } catch (error) {
          release(given);
          throw error;
        }
      },
    };
  },
};
