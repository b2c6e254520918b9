import type { SocketAddress } from '../../containers/network/types.js';
import type { DeepReadonly, Node } from '../../machinery/types.js';

/** Where a node agent's pod network listens, "host:port", on its Node. */
export const POD_NETWORK_ANNOTATION = 'kubette.dev/pod-network';

export interface Peer {
  readonly nodeName: string;
  /** Undefined until that node's agent has announced it. */
  readonly podNetwork: SocketAddress | undefined;
}

/** Where the agent of a Node takes packets from others; undefined: it has not said so. */
export function podNetworkOf(node: DeepReadonly<Node>): SocketAddress | undefined {
  const text = node.metadata.annotations?.[POD_NETWORK_ANNOTATION];
  const colon = text?.lastIndexOf(':') ?? -1;
  const port = Number(text?.slice(colon + 1));
  if (text === undefined || colon <= 0 || !Number.isInteger(port)) return undefined;
  return { address: text.slice(0, colon), port };
}
