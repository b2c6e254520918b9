import type { DispatchIndex } from './dispatch-index.js';
import type { CompiledRule } from './match.js';
import type { ChainSnapshot, Rule } from './rule.js';

export interface Counters {
  packets: number;
  bytes: number;
}

/** What packets have left at a rule. */
export interface RuleState extends Counters {
  /** Made on first use: most rules of a large ruleset never see a packet. */
  compiled?: CompiledRule;
  /** Of its statistic match, when it has one; set with `compiled`. */
  chance?: number | undefined;
}

/** Its rules are kept as they came, maybe as a list that others have, too: only an edit that made a list may change it. */
export interface LoadedChain extends Counters {
  readonly name: string;
  policy: 'ACCEPT' | 'DROP' | undefined;
  rules: readonly Rule[];
  /** By position; undefined while no packet has come by. */
  states: (RuleState | undefined)[] | undefined;
  /** Made when a packet first comes to the chain after it was loaded. */
  index?: DispatchIndex;
}

const NONE: readonly Rule[] = [];

export const newChain = (name: string, policy?: 'ACCEPT' | 'DROP', packets = 0, bytes = 0): LoadedChain => ({
  name,
  policy,
  packets,
  bytes,
  rules: NONE,
  states: undefined,
});

/** The state of the rule at this position, from now on. */
export function stateAt(chain: LoadedChain, position: number): RuleState {
  chain.states ??= new Array<RuleState | undefined>(chain.rules.length);
  return (chain.states[position] ??= { packets: 0, bytes: 0 });
}

/** The rules are copied when somebody reads them. */
export const snapshot = ({ name, policy, packets, bytes, rules, states }: LoadedChain): ChainSnapshot => ({
  name,
  ...(policy === undefined ? {} : { policy }),
  packets,
  bytes,
  ruleCount: rules.length,
  get rules() {
    return rules.map((rule, position) => {
      const state = states?.[position];
      return { rule, packets: state?.packets ?? 0, bytes: state?.bytes ?? 0 };
    });
  },
});
