import type { ProxyMode } from '../../../src/dataplane/proxiers/index.js';
import type { EndpointSlice, Node, Service } from '../../../src/machinery/types.js';

export type Item = (Service | EndpointSlice | Node) & { readonly kind: string };
/** A change, and what is programmed some seconds after it. */
export interface Step {
  readonly about: string;
  readonly delete?: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[];
  readonly apply?: readonly Item[];
  readonly restart?: boolean;
  /** By proxy mode. */
  readonly rules: Readonly<Record<ProxyMode, { readonly v4: string; readonly v6: string }>>;
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
}
