import type { Kernel } from '../../kernel/types.js';
import { BUILTIN_CHAINS } from '../../kernel/xtables/builtin-chains.js';
import type { RuleSnapshot, TableName } from '../../kernel/xtables/rule.js';
import { orderedChains } from './ordered-chains.js';
import { saveText } from './rule-text.js';

export interface PrintSpecOptions {
  readonly table: TableName;
  readonly chain?: string;
  /** -v: with counters. */
  readonly verbose?: boolean;
}

/** What `iptables -S` prints of a table; of a chain that is not there nothing. */
export function* specLines(
  { family, xtables }: Kernel,
  { table: name, chain, verbose }: PrintSpecOptions,
): Generator<string> {
  const table = xtables.tables().find(each => each.table === name);
  if (table === undefined) return;
  const chains = (yield* orderedChains(table)).filter(each => chain === undefined || each.name === chain);
  for (const each of chains) {
    const { policy = 'ACCEPT', packets, bytes } = each;
    const counted = verbose === true ? ` -c ${packets} ${bytes}` : '';
    yield BUILTIN_CHAINS[name].includes(each.name) ? `-P ${each.name} ${policy}${counted}\n` : `-N ${each.name}\n`;
  }
  const text = ({ rule, packets, bytes }: RuleSnapshot): string =>
    saveText(rule, family, verbose === true ? `-c ${packets} ${bytes}` : undefined);
  for (const { rules } of chains) for (const each of rules) yield `${text(each)}\n`;
}
