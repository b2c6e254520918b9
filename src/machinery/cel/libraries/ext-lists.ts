import type { Steps } from '../../steps.js';
import type {
  CallEstimate,
  Declaration,
  EstimatedCall,
  EstimatedNode,
  Library,
  Overload,
  Range,
} from '../declarations.js';
import { MAX_COST } from '../declarations.js';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../ranges.js';
import { sizeOf, TEXT_COST } from '../standard/sizes.js';
import { DYN, INT, listOf, param, type Type } from '../types.js';
import { ArrayList, Bytes, CelError, itemsOf, type ListValue, type Value } from '../values.js';
import { LIST_COST } from './costs.js';
import { Members, Pace } from './items.js';
import { COMPARABLE } from './lists.js';
import { method, sizeOfArg, slowMethod } from './overloads.js';
import { overload } from '../standard/overload.js';
import { SORT_BY, sortBy } from './sort-by.js';

/** Source: cel-go ext/lists.go, version 3. */
const T = param('T');
const LIST = listOf(T);

/** Of a call that makes a list: 1, the list, and so much for each item. */
function made(size: number, factor = 1): number {
  const cost = Math.trunc(size * factor) + 1 + LIST_COST;
  // Upstream's number has no sign: of a depth that is none.
  return cost < 0 ? MAX_COST : cost;
}
const estimateMade = (size: Range, factor = 1): CallEstimate => ({
  cost: addRanges(scaleRange(size, factor), exactly(1 + LIST_COST)),
  size,
});

/** A literal that is a whole number, which is 0 when it is less. */
const numberOf = (node: EstimatedNode | undefined, otherwise: number): number =>
  typeof node?.literal === 'bigint' ? Math.max(0, Number(node.literal)) : otherwise;

/** Every item is compared with every other; texts cost more. */
function compared(list: Value | undefined): number {
  if (list === undefined || list === null || typeof list !== 'object' || list.kind !== 'list') return made(1, 2);
  const first = list.size === 0 ? undefined : list.at(0);
  return made(list.size ** 2, typeof first === 'string' || first instanceof Bytes ? 2 + TEXT_COST : 2);
}

const estimateCompared = (call: EstimatedCall, index: number, factor: number): CallEstimate => {
  const size = sizeOfArg(call, index);
  return estimateMade(multiplyRanges(size, size), factor);
};

/** Lists that are in themselves often could be flattened without end: upstream would ask for as much memory as it takes. */
const MAX_ITEMS = 2 ** 20;
const tooMany = (): CelError => new CelError(`result has more than ${MAX_ITEMS} items`);

function slice(list: ListValue, start: bigint, end: bigint): Value {
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0n || end < 0n) return new CelError(`${call}, negative indexes not supported`);
  if (start > end) return new CelError(`${call}, start index must be less than or equal to end index`);
  if (BigInt(list.size) < end) return new CelError(`${call}, list is length ${list.size}`);
  return new ArrayList(Array.from({ length: Number(end - start) }, (_, i) => list.at(Number(start) + i)));
}

function estimateSlice(call: EstimatedCall): CallEstimate {
  const size = sizeOfArg(call, 0);
  const length = numberOf(call.args[2], size.max) - numberOf(call.args[1], 0);
  // Upstream's number has no sign.
  return estimateMade(exactly(length < 0 ? MAX_COST : length));
}

function* flatten(list: ListValue, depth: bigint): Steps<Value> {
  if (depth < 0n) return new CelError('level must be non-negative');
  const pace = new Pace();
  const items: Value[] = [];
  const open = [{ list, next: 0 }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (pace.isOver()) yield;
    if (top.next >= top.list.size) {
      open.pop();
      continue;
    }
    const item = top.list.at(top.next++);
    const isList = item !== null && typeof item === 'object' && item.kind === 'list';
    if (isList && BigInt(open.length) <= depth) open.push({ list: item, next: 0 });
    else if (items.push(item) > MAX_ITEMS) return tooMany();
  }
  return new ArrayList(items);
}

function range(count: bigint): Value {
  if (count > BigInt(MAX_ITEMS)) return tooMany();
  return new ArrayList(Array.from({ length: Math.max(0, Number(count)) }, (_, i) => BigInt(i)));
}

function* distinct(list: ListValue): Steps<Value> {
  const members = new Members();
  const items: Value[] = [];
  for (let i = 0; i < list.size; i++) {
    const item = list.at(i);
    if (yield* members.add(item)) items.push(item);
  }
  return new ArrayList(items);
}

const perType = (make: (type: Type, costs: Pick<Overload, 'cost' | 'estimate'>) => Overload, index: number) =>
  COMPARABLE.map(([name, type]) =>
    make(type, {
      cost: args => compared(args[index]),
      estimate: call => estimateCompared(call, index, name === 'string' || name === 'bytes' ? 2 + TEXT_COST : 2),
    }),
  );

/** One binding serves all types: it sees itself what is in a list. */
const ANY_LIST: Pick<Overload, 'anyItems' | 'costIfKnown'> = { anyItems: true, costIfKnown: true };

const FUNCTIONS: readonly Declaration[] = [
  {
    name: 'slice',
    doc: 'The items from an index on, up to another one.',
    examples: [
      { expr: '[1, 2, 3, 4].slice(1, 3)', is: '[2, 3]' },
      { expr: '[1].slice(0, 2)', error: 'cannot slice(0, 2), list is length 1' },
      { expr: '[1].slice(1, 0)', error: 'cannot slice(1, 0), start index must be less than or equal to end index' },
      { expr: '[1].slice(-1, 0)', error: 'cannot slice(-1, 0), negative indexes not supported' },
    ],
    overloads: [
      method('list_slice', [LIST, INT, INT], LIST, slice, {
        costOfResult: (_args, result) => made(sizeOf(result)),
        estimate: estimateSlice,
      }),
    ],
  },
  {
    name: 'flatten',
    doc: 'With the items of lists in a list in their place, down to a depth.',
    examples: [
      { expr: '[[1], [2, 3], []].flatten()', is: '[1, 2, 3]' },
      { expr: '[[[1]], [[2], [3]]].flatten(2)', is: '[1, 2, 3]' },
      { expr: '[[1]].flatten(-1)', error: 'level must be non-negative' },
    ],
    overloads: [
      slowMethod('list_flatten', [listOf(LIST)], LIST, (list: ListValue) => flatten(list, 1n), {
        anyItems: true,
        cost: args => made(sizeOf(args[0] ?? null)),
        estimate: call => estimateMade(sizeOfArg(call, 0)),
      }),
      slowMethod('list_flatten_int', [listOf(DYN), INT], listOf(DYN), flatten, {
        anyItems: true,
        cost: ([list, depth]) => made(sizeOf(list ?? null), typeof depth === 'bigint' ? Number(depth) : 1),
        estimate: call => estimateMade(sizeOfArg(call, 0), numberOf(call.args[1], MAX_COST)),
      }),
    ],
  },
  {
    name: 'sort',
    doc: 'The items in their order; they must be of one type that has one.',
    examples: [
      { expr: '[3, 2, 1].sort()', is: '[1, 2, 3]' },
      { expr: `['b', 'c', 'a'].sort()`, is: `['a', 'b', 'c']` },
      { expr: `[dyn(1), dyn('b')].sort()`, error: 'list elements must have the same type' },
      { expr: 'dyn([[1], [2]]).sort()', error: 'list elements must be comparable' },
    ],
    overloads: perType(
      (type, costs) =>
        method(`list_${type.name}_sort`, [listOf(type)], listOf(type), (list: ListValue) => sortBy(list, list), {
          ...costs,
          ...ANY_LIST,
        }),
      0,
    ),
  },
  {
    name: '@sortByAssociatedKeys',
    doc: 'What sortBy() stands for.',
    examples: [],
    overloads: perType(
      (type, costs) =>
        method(`list_${type.name}_sortByAssociatedKeys`, [LIST, listOf(type)], LIST, sortBy, { ...costs, ...ANY_LIST }),
      1,
    ),
  },
  {
    name: 'lists.range',
    doc: 'The numbers from 0 on, so many of them.',
    examples: [
      { expr: 'lists.range(3)', is: '[0, 1, 2]' },
      { expr: 'lists.range(-1)', is: '[]' },
    ],
    overloads: [
      overload('lists_range', [INT], listOf(INT), range, {
        cost: ([count]) => made(typeof count === 'bigint' ? Math.max(0, Number(count)) : 1),
        estimate: call => estimateMade(exactly(numberOf(call.args[0], MAX_COST))),
      }),
    ],
  },
  {
    name: 'reverse',
    doc: 'The items from the last to the first.',
    examples: [{ expr: '[5, 3, 1, 2].reverse()', is: '[2, 1, 3, 5]' }],
    overloads: [
      method('list_reverse', [LIST], LIST, (list: ListValue) => new ArrayList([...itemsOf(list)].reverse()), {
        cost: args => made(sizeOf(args[0] ?? null)),
        estimate: call => estimateMade(sizeOfArg(call, 0)),
      }),
    ],
  },
  {
    name: 'distinct',
    doc: 'Without items that are equal to one in front of them.',
    examples: [
      { expr: '[1, 2, 2, 3, 3, 3].distinct()', is: '[1, 2, 3]' },
      { expr: `[dyn(1), dyn('b'), dyn(1u)].distinct()`, is: `[dyn(1), dyn('b')]` },
    ],
    overloads: [
      slowMethod('list_distinct', [LIST], LIST, distinct, {
        cost: args => compared(args[0]),
        estimate: call => estimateCompared(call, 0, 2),
      }),
    ],
  },
];

export const EXT_LISTS: Library = { name: 'cel.lib.ext.lists', functions: FUNCTIONS, macros: [SORT_BY] };
