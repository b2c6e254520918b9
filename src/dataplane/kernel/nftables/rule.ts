import type { Protocol } from '../../packet.js';
import type { Hook, Origin } from '../../trace.js';
import type { CtState } from '../flow.js';

/** What is decided about a packet, or where its way goes on. */
export type NftVerdict =
  | { readonly kind: 'accept' | 'drop' }
  | { readonly kind: 'return' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

/** Addresses by name, or listed in the rule: addresses, CIDRs and ranges ("10.0.0.1-10.0.0.5"). */
export type NftAddresses =
  | { readonly kind: 'set'; readonly name: string }
  | { readonly kind: 'listed'; readonly elements: readonly string[] };

export type NftAddressSide = 'saddr' | 'daddr';

/** A part of a packet that keys of sets and maps are made of. */
export type NftField = NftAddressSide | 'l4proto' | 'dport';

/**
 * One step of a rule. Conditions end the rule where they do not hold; a statement does something; the last may be a
 * verdict. Source: nft(8).
 */
export type NftExpression =
  | {
      readonly kind: 'address';
      readonly side: NftAddressSide;
      readonly invert?: boolean;
      readonly addresses: NftAddresses;
    }
  | { readonly kind: 'ctState'; readonly state: CtState }
  | { readonly kind: 'l4proto'; readonly protocol: Protocol }
  /** `fib saddr type local`: the address is one of this node's. */
  | { readonly kind: 'fibLocal'; readonly side: NftAddressSide }
  /** The name may end with "*". */
  | { readonly kind: 'iifname'; readonly name: string; readonly invert?: boolean }
  /** No bit of the mask is set. */
  | { readonly kind: 'markClear'; readonly mask: number }
  | { readonly kind: 'vmap'; readonly key: readonly NftField[]; readonly map: string }
  /** One of the verdicts by chance, each as likely. */
  | { readonly kind: 'numgen'; readonly verdicts: readonly NftVerdict[] }
  /** Adds the packet's source to a dynamic set, or starts its time anew. */
  | { readonly kind: 'update'; readonly set: string; readonly side: NftAddressSide }
  | { readonly kind: 'mark'; readonly op: 'or' | 'xor'; readonly value: number }
  | { readonly kind: 'dnat'; readonly address: string; readonly port: number }
  | { readonly kind: 'masquerade' | 'reject' }
  | { readonly kind: 'verdict'; readonly verdict: NftVerdict };

export interface NftRule {
  readonly kind: 'nftRule';
  readonly chain: string;
  readonly expressions: readonly NftExpression[];
  readonly comment?: string;
  readonly origin?: Origin;
}

/** Where a base chain hangs. Priorities are Linux's numbers. */
export interface NftBase {
  readonly type: 'filter' | 'nat';
  readonly hook: Hook;
  readonly priority: number;
}

export interface NftChain {
  readonly name: string;
  /** Undefined: a regular chain, which is jumped to. */
  readonly base?: NftBase;
  readonly comment?: string;
}

/** The type of one part of a key. */
export type NftKeyType = 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service';

export interface NftSet {
  readonly name: string;
  /** A map's elements have verdicts. */
  readonly kind: 'set' | 'map';
  readonly key: readonly NftKeyType[];
  readonly comment?: string;
  /** Elements come from packets and are forgotten after this many seconds. */
  readonly timeoutSeconds?: number;
}

export interface NftElement {
  readonly key: readonly string[];
  readonly verdict?: NftVerdict;
  readonly comment?: string;
  /** As packets have taught it to a set with a timeout: it is forgotten after so many seconds. */
  readonly expiresSeconds?: number;
}

/** How the parts of a key are joined, as nft writes it. */
export const keyText = (key: readonly string[]): string => key.join(' . ');

/** As nft writes it. */
export const verdictText = (verdict: NftVerdict): string =>
  verdict.kind === 'jump' || verdict.kind === 'goto' ? `${verdict.kind} ${verdict.chain}` : verdict.kind;
