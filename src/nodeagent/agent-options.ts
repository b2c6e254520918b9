import type { BehaviourFile } from '../containers/behaviour/file.js';
import type { Addresses } from '../containers/network/types.js';
import type { Client, InformerFactory } from '../client/types.js';
import type { Cable } from '../machinery/cable.js';
import type { Clock } from '../machinery/clock.js';
import type { Logger } from '../machinery/logger.js';
import type { Random } from '../machinery/random.js';
import type { NodeHost } from './host/types.js';
import type { PodManager } from './pods/pod-manager.js';
import type { Family } from '../machinery/ip.js';
import type { HostRules } from './proxy/host-rules/host-rules.js';
import type { ProxySettings } from './proxy/proxy-settings.js';

export interface NodeAgentOptions {
  readonly client: Client;
  /** Of a node that is one of several in this process; undefined: it has all for itself. */
  readonly host?: NodeHost;
  /** Of what the agent watches; started by it. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly nodeName: string;
  /** The node's simulated addresses, one of each family that it has, the primary one first. */
  readonly nodeIPs: Addresses;
  readonly labels: Readonly<Record<string, string>>;
  /** Real address of node port listeners, and of the kubelet API and the pod network unless those say otherwise. */
  readonly bindAddress: string;
  /** Real loopback address of kubelet API and pod network; the Node announces it. */
  readonly listenAddress: string;
  /** 0: any free port. */
  readonly kubeletPort: number;
  readonly podNetworkPort: number;
  /** Where Pods see the machine that this runs on. */
  readonly hostGateways: Addresses;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  /** The ranges of all Pods, one of each family: what goes to none of them leaves under the node's address. Empty: unknown. */
  readonly clusterCidrs: readonly string[];
  readonly proxy: ProxySettings;
  /** A real kernel for the rules of each family; undefined: they are simulated only. */
  readonly hostRules?: (family: Family) => HostRules | undefined;
  /** The node's way to everything else; undefined: nobody pulls it. */
  readonly cable?: Cable;
  /** Called once when Pods begin to have a lot to say to each other: it is worth memory to be fast now. */
  readonly onBusy?: () => void;
  /** What containers are told to do; undefined: nothing but what their Pods say. */
  readonly behaviour?: BehaviourFile | undefined;
  readonly maxPods: number;
  /** Of this machine: where the files of the node's persistent volumes are kept; undefined: in memory. */
  readonly volumesFolder?: string;
  /** Of the Node, by resource: what differs from a small machine's, and extended resources. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly version: string;
  readonly minSyncPeriodMs: number;
  readonly syncPeriodMs: number;
  /** PEM; absent: a certificate that signs itself. */
  readonly serving?: { readonly cert: string; readonly key: string };
  /** PEM of the CA whose clients may use the kubelet API. */
  readonly clientCa: string;
}

export interface NodeAgent {
  readonly kubeletPort: number;
  readonly podNetworkPort: number;
  readonly pods: PodManager;
  /** Ends every container and listener. The Node object stays. */
  close(): Promise<void>;
}
