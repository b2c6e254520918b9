import type { Informer } from '../../client/types.js';
import type { PacketReceiver } from '../../containers/network/types.js';
import type { DeepReadonly, Node, Pod } from '../../machinery/types.js';
import type { KubeletHandler } from '../kubelet-api/handler.js';
import type { CommonDirectory } from '../network/common-directory.js';
import type { PeerLinks } from '../network/link/peer-links.js';
import type { Sources } from '../pods/sources.js';
import type { NodePolicies } from '../policies/node-policies.js';

/**
 * What the nodes of one process have in common: one watch of each resource, one listener for all kubelets and one for all
 * packets, one index of policies, one table of routes. What a node has of its own is made when there is use for it.
 */
export interface NodeHost {
  /** Those bound to one node. */
  pods(nodeName: string): Informer<Pod>;
  /** Calls `seen` with the Node of this name as it is and whenever it changes. */
  followNode(nodeName: string, seen: (node: DeepReadonly<Node>) => void): void;
  readonly directory: CommonDirectory;
  readonly policies: NodePolicies;
  readonly links: PeerLinks;
  readonly sources: Sources;
  /** Where packets for all of them are taken. */
  readonly podNetworkPort: number;
  readonly kubeletPort: number;
  /** From now on packets for this node go to `network`, and requests to its kubelet to `kubelet`. Returns the end of it. */
  join(nodeName: string, parts: { readonly network: PacketReceiver; readonly kubelet: KubeletHandler }): () => void;
  /** A connection to the listener of all kubelets that is meant for this node, by the port it comes from. */
  callsFrom(port: number, nodeName: string): () => void;
  /** Whether one more Event may be written now. */
  mayTell(): boolean;
}
