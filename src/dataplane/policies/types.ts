import type { Labels } from '../../machinery/labels.js';
import type { Tuple } from '../packet.js';
import type { KubeObject, LabelSelector } from '../../machinery/types.js';

export type Direction = 'ingress' | 'egress';

export interface PolicyPort {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}

export interface IPBlock {
  cidr: string;
  except?: string[];
}

export interface PolicyPeer {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: IPBlock;
}

/** networking.k8s.io/v1, as it travels on the wire. */
export interface NetworkPolicy extends KubeObject {
  spec?: {
    podSelector?: LabelSelector;
    policyTypes?: string[];
    ingress?: { ports?: PolicyPort[]; from?: PolicyPeer[] }[];
    egress?: { ports?: PolicyPort[]; to?: PolicyPeer[] }[];
  };
}

/** A Pod or a policy. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** The other end of a packet, as selectors see it. */
export interface PeerPod {
  readonly namespace: string;
  readonly labels: Labels | undefined;
  /** Undefined: the namespace is not known. */
  readonly namespaceLabels: Labels | undefined;
}

/** What stands in the place of a Pod as a destination without being one. */
export interface StandIn extends ObjectName {
  readonly labels: Labels;
  /** The Pod's, whatever the packet's is. */
  readonly port: number;
  readonly portName: string;
}

/** What the policies of one direction say about a packet. */
export interface Finding {
  readonly direction: Direction;
  /** Whose policies were asked: the source for egress, the destination for ingress. */
  readonly pod: ObjectName;
  /** Those that select the Pod for this direction, by name; at least one. */
  readonly policies: readonly ObjectName[];
  /** The first rule that allows the packet, counted from 1; undefined: none does. */
  readonly allowedBy: { readonly policy: ObjectName; readonly rule: number } | undefined;
}

/** A packet is let through when every finding is an allowing one. The first that is not ends the questions. */
export interface Judgement {
  readonly packet: Tuple;
  readonly source: ObjectName | undefined;
  readonly destination: ObjectName | undefined;
  readonly findings: readonly Finding[];
}
