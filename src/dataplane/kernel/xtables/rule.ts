import type { Protocol } from '../../packet.js';
import type { Origin } from '../../trace.js';
import type { CtState } from '../flow.js';
import type { SetSide } from '../ipset/types.js';
import type { VirtualService } from '../ipvs/types.js';

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter';

interface Invertible {
  /** True: matches when the condition does not hold ("!"). */
  readonly invert?: boolean;
}

/** One condition of a rule. All must hold. Addresses are canonical text, a CIDR may omit its full-length prefix. */
export type Match =
  | { readonly kind: 'comment'; readonly text: string }
  | ({ readonly kind: 'source' | 'destination'; readonly cidr: string } & Invertible)
  | ({ readonly kind: 'inInterface' | 'outInterface'; readonly name: string } & Invertible)
  | ({ readonly kind: 'protocol'; readonly protocol: Protocol | 'icmp' | 'ipv6-icmp' } & Invertible)
  /** `-m tcp`: loads the module the ports belong to. */
  | { readonly kind: 'l4'; readonly protocol: Protocol }
  | ({ readonly kind: 'sourcePort' | 'destinationPort'; readonly from: number; readonly to: number } & Invertible)
  /** `alias`: written as `-m state --state`, which the kernel remembers. */
  | ({ readonly kind: 'conntrack'; readonly states: readonly CtState[]; readonly alias?: 'state' } & Invertible)
  | ({ readonly kind: 'mark'; readonly value: number; readonly mask: number } & Invertible)
  | ({ readonly kind: 'addrtype'; readonly side: 'src' | 'dst'; readonly type: AddressType } & Invertible)
  | ({ readonly kind: 'physdevIsIn' } & Invertible)
  /** Probability in [0, 1]. */
  | ({ readonly kind: 'statistic'; readonly probability: number } & Invertible)
  | ({
      readonly kind: 'recent';
      readonly name: string;
      readonly action: 'set' | 'rcheck' | 'update' | 'remove';
      readonly seconds?: number;
      readonly reap?: boolean;
    } & Invertible)
  /** `-m set`: one side of the packet for each dimension of the set's entries. */
  | ({ readonly kind: 'set'; readonly set: string; readonly sides: readonly SetSide[] } & Invertible)
  /** `-m ipvs`: packets that IPVS has sent on for this virtual service. */
  | ({ readonly kind: 'ipvs' } & VirtualService & Invertible);

export type AddressType = 'LOCAL' | 'UNICAST' | 'BROADCAST' | 'MULTICAST';

/** What a rule does to a packet that matches. `none` only counts it. */
export type Verdict =
  | { readonly kind: 'none' | 'accept' | 'drop' | 'return' | 'notrack' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'reject'; readonly with?: string }
  /** mark = (mark & ~mask) ^ value for `set`; `or` sets the bits of value, `xor` flips them, `and` keeps them. */
  | { readonly kind: 'mark'; readonly op: 'set' | 'or' | 'xor' | 'and'; readonly value: number; readonly mask: number }
  | { readonly kind: 'dnat' | 'snat'; readonly address: string; readonly port?: number }
  | { readonly kind: 'redirect'; readonly port?: number }
  | { readonly kind: 'masquerade'; readonly randomFully: boolean };

export interface Rule {
  readonly kind: 'rule';
  readonly chain: string;
  /** In the order in which iptables-restore reads them. */
  readonly matches: readonly Match[];
  readonly verdict: Verdict;
  readonly origin?: Origin;
}

export interface TableSnapshot {
  readonly table: TableName;
  /** False until something was loaded into it; iptables-save leaves such tables out. */
  readonly touched: boolean;
  readonly chains: readonly ChainSnapshot[];
}

export interface ChainSnapshot {
  readonly name: string;
  /** Built-in chains only. */
  readonly policy?: 'ACCEPT' | 'DROP';
  readonly packets: number;
  readonly bytes: number;
  readonly ruleCount: number;
  readonly rules: readonly RuleSnapshot[];
}

export interface RuleSnapshot {
  readonly rule: Rule;
  readonly packets: number;
  readonly bytes: number;
}
