import type { Kernels } from './kernels.js';
import { NetworkError } from '../../containers/network/errors.js';
import { familyLike, HOST, POD_LINK } from './links.js';
import type { NodeDirectory } from './node-directory.js';
import type { Sockets } from './sockets.js';
import type { Flow, SocketAddress } from '../../containers/network/types.js';

/** Who gets a packet that has been through the hooks. */
export type Target =
  | { readonly kind: 'sockets'; readonly sockets: Sockets }
  | { readonly kind: 'host' }
  | { readonly kind: 'peer'; readonly nodeName: string; readonly at: SocketAddress };

export interface DeliveryOptions {
  readonly nodeName: string;
  readonly kernels: Kernels;
  readonly directory: NodeDirectory;
  readonly nodeSockets: Sockets;
  /** By address. */
  readonly pods: ReadonlyMap<string, Sockets>;
  /** What is wrong with a packet whose address nobody has. Default: that nobody has it. */
  readonly explain?: ((flow: Flow) => string | undefined) | undefined;
}

/** Follows the route of a packet: the table that netfilter asked too. @throws NetworkError EHOSTUNREACH */
export function deliveryTarget(flow: Flow, options: DeliveryOptions): Target {
  const { nodeName, kernels, directory, nodeSockets, pods } = options;
  const { dst } = flow;
  const route = kernels[familyLike(dst)].routes.lookup(dst);
  if (route?.local === true) return { kind: 'sockets', sockets: nodeSockets };
  if (route?.link === POD_LINK) {
    const pod = pods.get(dst);
    if (pod === undefined) throw new NetworkError('EHOSTUNREACH', `no Pod of ${nodeName} has ${dst}`);
    return { kind: 'sockets', sockets: pod };
  }
  if (route?.nextHop === HOST) return { kind: 'host' };
  const peer = route?.nextHop === undefined ? undefined : directory.get(route.nextHop);
  if (peer === undefined)
    throw new NetworkError('EHOSTUNREACH', options.explain?.(flow) ?? `${dst} is no address of this cluster`);
  if (peer.podNetwork === undefined) throw new NetworkError('EHOSTUNREACH', `${peer.nodeName} is not up`);
  return { kind: 'peer', nodeName: peer.nodeName, at: peer.podNetwork };
}
