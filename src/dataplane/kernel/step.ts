import type { TraceStep } from '../trace.js';
import type { NftRule } from './nftables/rule.js';
import type { Rule } from './xtables/rule.js';

/** One line of a trace. The rule is printed by the tool that lists its kind, and only when somebody looks. */
export type KernelStep = Omit<TraceStep, 'rule'> & { readonly rule?: Rule | NftRule };
