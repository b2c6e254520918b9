import type { Expr } from '../ast.js';
import { compareValues } from '../compare.js';
import type { Macro } from '../declarations.js';
import { runtimeType } from '../runtime-types.js';
import { STANDARD_MACROS } from '../standard/macros.js';
import { ArrayList, CelError, itemsOf, type ListValue, type Value } from '../values.js';
import { isComparable } from './lists.js';

/** Sorting by keys, which sort() has of a list itself and sortBy() of an expression. */

/** In the order of keys, one for each item. */
export function sortBy(list: ListValue, keys: ListValue): Value {
  if (list.size !== keys.size) {
    const got = `${list.size} and ${keys.size} elements respectively`;
    const expected = 'expected a list of the same size as the associated keys list';
    return new CelError(`@sortByAssociatedKeys() ${expected}, but got ${got}`);
  }
  if (list.size === 0) return list;
  const first = keys.at(0);
  if (!isComparable(first)) return new CelError('list elements must be comparable');
  const given = itemsOf(keys);
  const type = runtimeType(first).name;
  if (given.some(key => runtimeType(key).name !== type)) return new CelError('list elements must have the same type');
  return new ArrayList(sorted(given.map((key, i) => ({ key, item: list.at(i) }))).map(({ item }) => item));
}

interface Keyed {
  readonly key: Value;
  readonly item: Value;
}

/** NaN has no order. */
function orderOf(a: Keyed, b: Keyed): number {
  const order = compareValues(a.key, b.key);
  return typeof order === 'number' ? order : 0;
}

/** As short as this, Go sorts by insertion, which shows where some have no order. */
const SHORT = 12;

/** Equal ones of a longer list stay as they were; upstream mixes them. */
function sorted(list: Keyed[]): Keyed[] {
  if (list.length > SHORT) return list.sort(orderOf);
  for (let end = 1; end < list.length; end++) {
    for (let i = end; i > 0; i--) {
      const [before, one] = [list[i - 1], list[i]];
      if (before === undefined || one === undefined || orderOf(one, before) >= 0) break;
      list[i - 1] = one;
      list[i] = before;
    }
  }
  return list;
}

const INPUT = '@__sortBy_input__';
const toKeys = STANDARD_MACROS.find(({ name, arity }) => name === 'map' && arity === 2);
const SORTABLE: ReadonlySet<Expr['kind']> = new Set(['list', 'select', 'ident', 'comprehension', 'call']);

/** `list.sortBy(x, key)`, as `list.@sortByAssociatedKeys(list.map(x, key))`. */
export const SORT_BY: Macro = {
  name: 'sortBy',
  member: true,
  arity: 2,
  doc: 'The items of a list in the order of what an expression makes of each.',
  examples: [
    { expr: '[3, 1, 2].sortBy(x, -x)', is: '[3, 2, 1]' },
    { expr: `[{'a': 2}, {'a': 1}].sortBy(x, x.a).map(x, x.a)`, is: '[1, 2]' },
  ],
  expand(make, target, args) {
    if (target === undefined || toKeys === undefined) return undefined;
    if (!SORTABLE.has(target.kind))
      throw make.fail(
        target,
        'sortBy can only be applied to a list, identifier, comprehension, call or select expression',
      );
    const keys = toKeys.expand(make, make.ident(INPUT), args);
    if (keys === undefined) return undefined;
    return make.comprehension({
      range: make.list(),
      variable: '#unused',
      variable2: undefined,
      accumulator: INPUT,
      init: target,
      condition: make.literal(false),
      step: make.ident(INPUT),
      result: make.memberCall(make.ident(INPUT), '@sortByAssociatedKeys', keys),
    });
  },
};
