import type { Clock } from '../../machinery/clock.js';
import type { UdpServicePort } from '../kernel/flow.js';
import type { SchedulerName } from '../kernel/ipvs/types.js';
import type { Program } from '../kernel/program.js';
import type { Family, Protocol } from '../packet.js';
import type { DetectLocal } from './detect-local.js';
import type { HealthCheckNodePort, NodePort, NoLocalEndpoints } from '../services/ports-in-use.js';
import type { ServiceWatch } from '../services/service-states.js';

/** What every mode is told of its node. Which mode it is, only the table of modes knows. */
export interface ProxierConfig {
  readonly clock: Clock;
  readonly family: Family;
  readonly nodeName: string;
  /** All addresses of the node in this family. */
  readonly nodeAddresses: readonly string[];
  /** The one that counts for load balancer source ranges, and as the primary one. Default: the first of nodeAddresses. */
  readonly nodeIP?: string;
  /** Undefined: rules that need it are left out. */
  readonly detectLocal?: DetectLocal;
  /** Default false. */
  readonly masqueradeAll?: boolean;
  /** Default 14. */
  readonly masqueradeBit?: number;
  /**
   * CIDRs; empty means every local address, 'primary' the nodeIP. Default: every one, in nftables mode the
   * primary one.
   */
  readonly nodePortAddresses?: readonly string[];
  /** Names of the chains that are loaded, maybe by a proxy before this one. Read by full syncs. */
  readonly loadedChains?: () => readonly string[];
  /** Default true; IPv4 only. */
  readonly localhostNodePorts?: boolean;
  /** Leaves out the INVALID rule (nf_conntrack_tcp_be_liberal). Default false. */
  readonly conntrackTCPLiberal?: boolean;
  /** Stale chains of a large cluster wait this long. Default 30 s. */
  readonly syncPeriodMs?: number;
  /** How IPVS chooses (--ipvs-scheduler). Default rr. */
  readonly ipvsScheduler?: SchedulerName;
  /** --ipvs-strict-arp. Default false. */
  readonly ipvsStrictArp?: boolean;
  /** The ports of the node that traffic is relayed from (--proxy-port-range). Default: the ephemeral ones. */
  readonly proxyPortRange?: PortRange;
  /** Whether something listens there already. */
  readonly isPortTaken?: (protocol: Protocol, port: number) => boolean;
  /** Chance, for the order of the endpoints that traffic is relayed to. Default: they stay sorted. */
  readonly random?: () => number;
}

/** Both ends belong to it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Where a connection is relayed to, and why there, for people. */
export interface RelayChoice {
  readonly ip: string;
  readonly port: number;
  readonly why: string;
}

/** A port of the node that somebody listens at; on all its addresses unless one is named. */
export interface HeldPort {
  readonly protocol: Protocol;
  readonly port: number;
  readonly address?: string;
}

/** A port of the node at which connections of a service port arrive, to be relayed to its endpoints. */
export interface RelayPort {
  readonly protocol: Extract<Protocol, 'tcp' | 'udp'>;
  readonly port: number;
  /** "namespace/name" or "namespace/name:port" */
  readonly service: string;
  /** Ports that shall be nobody else's. */
  readonly held: readonly HeldPort[];
  /** The endpoint for a client's next connection; `again` when the one before did not answer. Undefined: there is none. */
  readonly next: (client: string, again?: boolean) => RelayChoice | undefined;
}

export interface SyncResult {
  /** Undefined when nothing changed since the last sync. */
  readonly program: Program | undefined;
  /**
   * UDP service ports whose flows to other endpoints than these are to be forgotten: all with a serving endpoint, when the
   * endpoints of one changed. Where the host relays, those that are gone.
   */
  readonly udpCleanup: readonly UdpServicePort[];
}

/** What of the Services is relayed, as of the last sync. */
export interface Relayed {
  ports(): readonly RelayPort[];
  /** Service ports that should be and are not. */
  refused(): readonly { readonly service: string; readonly why: string }[];
}

/**
 * kube-proxy's bookkeeping for one IP family and mode. Feed it every Service and EndpointSlice (it filters by the labels of
 * docs/kube-proxy.md section 1.2 itself), then `sync()` for what must change. Pure: it writes nothing.
 */
export interface Proxier extends ServiceWatch {
  /**
   * The labels of this proxy's node (topology.kubernetes.io/zone) and its Pods' ranges. A change that matters forces a full
   * sync.
   */
  setNode(labels: Readonly<Record<string, string>>, podCidrs?: readonly string[]): void;
  /**
   * The ranges of ClusterIPs, of any family; none until it is told. In nftables mode packets to an address of them that no
   * Service has are dropped, and a change forces a full sync.
   */
  setServiceCidrs(cidrs: readonly string[]): void;
  /** True when `sync()` would return a program. */
  readonly pending: boolean;
  /** Computes what to load since the last sync. The first is full; `{full: true}` forces it (also after a failed load). */
  sync(options?: { full?: boolean }): SyncResult;
  /** The complete program as of the last sync, whatever was loaded. */
  program(): Program;
  healthCheckNodePorts(): readonly HealthCheckNodePort[];
  /** Service ports whose policy is Local for that traffic, that have endpoints, and none on this node. */
  noLocalEndpoints(): NoLocalEndpoints;
  /** Node ports in use, for hosts that open a real listener for each. */
  nodePorts(): readonly NodePort[];
  /** What the host has to relay itself, as of the last sync; absent where the kernel does all. */
  readonly relay?: Relayed;
}

/** A mode: changes in, programs out. */
export type CreateProxier = (config: ProxierConfig) => Proxier;
