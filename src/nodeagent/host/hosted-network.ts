import type { PacketReceiver } from '../../containers/network/types.js';
import { NetworkError } from '../../containers/network/errors.js';
import type { CommonDirectory } from '../network/common-directory.js';

/**
 * The switch in front of many nodes: a packet goes to the one that has its destination, or that of the Pod which has it.
 * What has none of them, as the address of a load balancer, is taken by the first: any node would do.
 */
export function hostedNetwork(
  directory: Pick<CommonDirectory, 'nodeOf'>,
  receivers: ReadonlyMap<string, PacketReceiver>,
): PacketReceiver {
  const of = (dst: string): PacketReceiver => {
    const owner = directory.nodeOf(dst);
    const receiver = owner === undefined ? receivers.values().next().value : receivers.get(owner);
    if (receiver === undefined) throw new NetworkError('EHOSTUNREACH', `no node of this process has ${dst}`);
    return receiver;
  };
  return {
    acceptTcp: async (flow, given) => of(flow.dst).acceptTcp(flow, given),
    acceptSctp: async (flow, given) => of(flow.dst).acceptSctp(flow, given),
    acceptUdp: async (flow, payload, given) => of(flow.dst).acceptUdp(flow, payload, given),
    acceptProbe: async (probe, given) => of(probe.dst).acceptProbe?.(probe, given),
  };
}
