import type { Steps } from '../../steps.js';
import type { CallEstimate, EstimatedCall, Library, Overload } from '../declarations.js';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../ranges.js';
import { BOOL, listOf, param } from '../types.js';
import type { ListValue, Value } from '../values.js';
import { sizeOf } from '../standard/sizes.js';
import { Members } from './items.js';
import { slowFunction, sizeOfArg } from './overloads.js';

/** Source: cel-go ext/sets.go. */
const PAIR = [listOf(param('T')), listOf(param('T'))];

function* containsAll(list: ListValue, items: ListValue): Steps<boolean> {
  if (items.size === 0) return true;
  const members = yield* Members.of(list);
  for (let i = 0; i < items.size; i++) if (!(yield* members.has(items.at(i)))) return false;
  return true;
}

function* intersect(a: ListValue, b: ListValue): Steps<Value> {
  if (a.size === 0 || b.size === 0) return false;
  const members = yield* Members.of(b);
  for (let i = 0; i < a.size; i++) if (yield* members.has(a.at(i))) return true;
  return false;
}

function* areEquivalent(a: ListValue, b: ListValue): Steps<Value> {
  return (yield* containsAll(a, b)) && (yield* containsAll(b, a));
}

/** As if every item were compared with every other, `times` times. */
const compared = (times: number): Pick<Overload, 'cost' | 'estimate'> => ({
  cost: args => 1 + args.reduce<number>((product, list) => product * sizeOf(list), times),
  estimate: (call: EstimatedCall): CallEstimate => ({
    cost: addRanges(scaleRange(multiplyRanges(sizeOfArg(call, 0), sizeOfArg(call, 1)), times), exactly(1)),
  }),
});

export const SETS: Library = {
  name: 'cel.lib.ext.sets',
  functions: [
    {
      name: 'sets.contains',
      doc: 'Whether the first list has all items of the second one.',
      examples: [
        { expr: 'sets.contains([], [])', is: 'true' },
        { expr: 'sets.contains([], [1])', is: 'false' },
        { expr: 'sets.contains([1, 2, 3, 4], [2, 3])', is: 'true' },
        { expr: 'sets.contains(dyn([1, 2, 3]), dyn([1.0, 3.0]))', is: 'true' },
        { expr: 'sets.contains([[1], [2, 3]], [[2, 3]])', is: 'true' },
      ],
      overloads: [slowFunction('list_sets_contains_list', PAIR, BOOL, containsAll, compared(1))],
    },
    {
      name: 'sets.equivalent',
      doc: 'Whether two lists have the same items, however often.',
      examples: [
        { expr: 'sets.equivalent([1], [1, 1])', is: 'true' },
        { expr: 'sets.equivalent([1], [2, 1])', is: 'false' },
      ],
      overloads: [slowFunction('list_sets_equivalent_list', PAIR, BOOL, areEquivalent, compared(2))],
    },
    {
      name: 'sets.intersects',
      doc: 'Whether two lists have an item in common.',
      examples: [
        { expr: 'sets.intersects([1], [])', is: 'false' },
        { expr: 'sets.intersects([1], [1, 2])', is: 'true' },
        { expr: 'sets.intersects([[1], [2, 3]], [[1, 2], [2, 3]])', is: 'true' },
      ],
      overloads: [slowFunction('list_sets_intersects_list', PAIR, BOOL, intersect, compared(1))],
    },
  ],
};
