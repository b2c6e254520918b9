import { compareText } from '../../../machinery/compare-text.js';
import { newPace } from '../../../machinery/pace.js';
import { sortSteps } from '../../../machinery/sort-steps.js';
import { BUILTIN_CHAINS } from '../../kernel/xtables/builtin-chains.js';
import type { ChainSnapshot, TableSnapshot } from '../../kernel/xtables/rule.js';

/** The built-in chains in the order of the hooks, then all others by name; yields nothing while it sorts. */
export function* orderedChains({ table, chains }: TableSnapshot): Generator<string, ChainSnapshot[]> {
  const builtin = BUILTIN_CHAINS[table];
  const own = chains.filter(chain => !builtin.includes(chain.name));
  const sorting = sortSteps(own, (a, b) => compareText(a.name, b.name), newPace());
  let sorted = sorting.next();
  for (; sorted.done !== true; sorted = sorting.next()) yield '';
  return [...chains.filter(chain => builtin.includes(chain.name)), ...sorted.value];
}
