import type { Protocol } from '../../../src/dataplane/packet.js';
import type { EndpointSlice, Node, Service } from '../../../src/machinery/types.js';
import type { RecordedMode } from './recorded-modes.js';

export type Item = (Service | EndpointSlice | Node) & { readonly kind: string };
/** A change, and what is programmed some seconds after it. */
export interface Step {
  readonly about: string;
  readonly delete?: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[];
  readonly apply?: readonly Item[];
  readonly restart?: boolean;
  /** By proxy mode. */
  readonly rules: Readonly<Record<RecordedMode, { readonly v4: string; readonly v6: string }>>;
}
/** Some connections from one place to one address, and what became of them. */
export interface Probe {
  readonly from: 'pod' | 'self' | 'node' | 'remote-pod' | 'outside' | 'outside2';
  readonly source: string;
  readonly protocol: Protocol;
  readonly to: string;
  readonly port: number;
  readonly verdict: 'accept' | 'refused' | 'timeout' | 'mixed';
  /** The endpoints that answered; "world": whoever is beyond the node. */
  readonly reaches?: readonly string[];
  /** The addresses that each of them saw. */
  readonly seenFrom?: Readonly<Record<string, readonly string[]>>;
  /** With affinity: the endpoints in the order of the connections. */
  readonly sequence?: readonly string[];
}

/** A node, and the objects before its proxy starts. */
export interface Case {
  readonly name: string;
  readonly about: string;
  readonly node: string;
  readonly config: { readonly flags: readonly string[]; readonly iptablesVersion?: string };
  readonly keepKubernetesService?: boolean;
  readonly nodes: readonly Node[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  /** By proxy mode; none where packets were not sent. */
  readonly packets: Partial<Readonly<Record<RecordedMode, readonly Probe[]>>>;
}
