import type { Family } from '../packet.js';
import type { SetChange } from './ipset/types.js';
import type { VirtualServer, VirtualService } from './ipvs/types.js';
import type { NftChain, NftElement, NftRule, NftSet } from './nftables/rule.js';
import type { Rule, TableName } from './xtables/rule.js';

/**
 * What a proxier wants in the kernel: a union of what the kernel's parts can be told, not of proxy modes. A mode may use
 * another's part, as IPVS does with xtables.
 */
export type Program = XtablesProgram | NftablesProgram | IpvsProgram;

/**
 * A full program makes the state from nothing; a partial one (from a later sync) rewrites the dispatch chains and only the
 * changed services' own chains, as kube-proxy's iptables-restore input does.
 */
export interface XtablesProgram {
  readonly kind: 'xtables';
  readonly family: Family;
  readonly full: boolean;
  /** Ensured one by one before the tables are loaded; empty in a partial program. */
  readonly jumps: readonly Jump[];
  /** Empty user chains ensured with the jumps: the canaries, and the chains jumped to. */
  readonly ensureChains: readonly { readonly table: TableName; readonly chain: string }[];
  readonly tables: readonly TableProgram[];
}

/** Rules of one chain that follow each other, appended together: the kernel keeps the list as it came. */
export interface ChainRules {
  readonly kind: 'addRules';
  readonly chain: string;
  readonly rules: readonly Rule[];
}

export interface ChainDeletion {
  readonly kind: 'deleteChain';
  readonly chain: string;
}

export type XtablesCommand = ChainRules | ChainDeletion;

/** What one `*table ... COMMIT` block of iptables-restore does: declare and flush chains, then run the commands. */
export interface TableProgram {
  readonly table: TableName;
  readonly chains: readonly string[];
  readonly commands: readonly XtablesCommand[];
}

/** A rule that must exist in a built-in chain: checked (`-C`) and otherwise inserted on top (`-I`), or appended (`-A`). */
export interface Jump {
  readonly table: TableName;
  readonly rule: Rule;
  readonly append?: boolean;
}

/** A transaction of nft on one table. A full one is done on an empty table. */
export interface NftablesProgram {
  readonly kind: 'nftables';
  readonly family: Family;
  readonly full: boolean;
  readonly table: string;
  readonly comment: string;
  readonly commands: readonly NftCommand[];
}

/** Adding what is there already changes nothing, except that an element gets the new verdict. */
export type NftCommand =
  | { readonly kind: 'addChain'; readonly chain: NftChain }
  | { readonly kind: 'flushChain' | 'deleteChain'; readonly chain: string }
  | { readonly kind: 'addRules'; readonly chain: string; readonly rules: readonly NftRule[] }
  | { readonly kind: 'addSet'; readonly set: NftSet }
  | { readonly kind: 'deleteSet'; readonly set: string }
  | { readonly kind: 'addElement'; readonly set: string; readonly element: NftElement }
  | { readonly kind: 'deleteElement'; readonly set: string; readonly key: readonly string[] };

/** A full program says all that there shall be, a partial one what changes. Servers that go end their connections first. */
export interface IpvsProgram {
  readonly kind: 'ipvs';
  readonly family: Family;
  readonly full: boolean;
  /** Those that are new or changed, each with all of its real servers. */
  readonly virtualServers: readonly VirtualServer[];
  readonly goneServers: readonly VirtualService[];
  readonly ipsets: readonly SetChange[];
  /** Those of a dummy interface: they are local, so that packets to them come to IPVS. */
  readonly addresses: { readonly link: string; readonly add: readonly string[]; readonly remove: readonly string[] };
  readonly sysctls: Readonly<Record<string, number>>;
  /** The rules around it; undefined when they are as before. */
  readonly xtables: XtablesProgram | undefined;
}
