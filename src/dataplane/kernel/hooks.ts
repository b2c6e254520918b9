import type { Hook } from '../trace.js';
import type { Passage } from './passage.js';

/** What becomes of a packet. */
export type HookVerdict = { readonly kind: 'accept' | 'drop' } | { readonly kind: 'reject'; readonly with: string };

/**
 * What a hook function does to a packet. Whoever accepts hands it to the next one; who steals it sends it out itself, with
 * another destination (NF_STOLEN).
 */
export type HookResult = HookVerdict | { readonly kind: 'steal' };

export const ACCEPT: HookVerdict = { kind: 'accept' };

/** A part of the kernel registers functions; of those at one hook the lower priority sees the packet first. */
export interface HookFunction {
  readonly hook: Hook;
  readonly priority: number;
  run(passage: Passage): HookResult;
}

/** Linux's (uapi/linux/netfilter_ipv4.h). */
export const PRIORITY = {
  raw: -300,
  conntrack: -200,
  mangle: -150,
  /** Not Linux's: where nftables' rules can see a packet whose destination is still the client's. */
  beforeDestinationNat: -110,
  destinationNat: -100,
  filter: 0,
  sourceNat: 100,
  confirm: Number.MAX_SAFE_INTEGER,
} as const;

export type Hooks = Readonly<Record<Hook, readonly HookFunction[]>>;

/** Functions of equal priority run in the order in which they are given. */
export function orderHooks(functions: readonly HookFunction[]): Hooks {
  const at = (hook: Hook): HookFunction[] =>
    functions.filter(one => one.hook === hook).sort((a, b) => a.priority - b.priority);
  return {
    prerouting: at('prerouting'),
    input: at('input'),
    forward: at('forward'),
    output: at('output'),
    postrouting: at('postrouting'),
  };
}

/** Runs the functions until one does not accept. */
export function runHooks(functions: readonly HookFunction[], passage: Passage): HookResult {
  for (const one of functions) {
    const result = one.run(passage);
    if (result.kind !== 'accept') return result;
  }
  return ACCEPT;
}
