import type { Family } from '../packet.js';
import type { Rule, TableName } from './xtables/rule.js';

/**
 * What a proxier wants in the kernel: a union of what the kernel's parts can be told, not of proxy modes. A mode may use
 * another's part, as IPVS does with xtables.
 */
export type Program = XtablesProgram;

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

export interface ChainDeletion {
  readonly kind: 'deleteChain';
  readonly chain: string;
}

/** What one `*table ... COMMIT` block of iptables-restore does: declare and flush chains, then run the commands. */
export interface TableProgram {
  readonly table: TableName;
  readonly chains: readonly string[];
  readonly commands: readonly (Rule | ChainDeletion)[];
}

/** A rule that must exist in a built-in chain: checked (`-C`) and otherwise inserted on top (`-I`). */
export interface Jump {
  readonly table: TableName;
  readonly rule: Rule;
}
