import type { Declaration } from '../declarations.js';
import { BOOL, INT, listOf, mapOf, optionalOf, param, STRING } from '../types.js';
import type { Value } from '../values.js';
import { BY_EVALUATOR, example, overload } from './overload.js';
import { sizeOf } from './sizes.js';

const A = param('A');
const B = param('B');
const LIST_A = listOf(A);
const MAP_AB = mapOf(A, B);

/** What is in lists and maps. */
export const INDEXING: readonly Declaration[] = [
  {
    name: '_[_]',
    doc: 'An item of a list by its index, or a value of a map by its key.',
    examples: [
      example('[1, 2][1]', '2'),
      example("{'a': 1}['a']", '1'),
      { expr: '[1][3]', error: 'index out of bounds: 3' },
      { expr: "{'a': 1}['b']", error: 'no such key: b' },
    ],
    overloads: [
      overload('index_list', [LIST_A, INT], A, BY_EVALUATOR),
      overload('index_map', [MAP_AB, A], B, BY_EVALUATOR),
    ],
  },
  {
    name: '@in',
    doc: 'Whether a list has an item, or a map a key.',
    examples: [example('2 in [1, 2]', 'true'), example("'b' in {'a': 1}", 'false')],
    overloads: [
      overload('in_list', [A, LIST_A], BOOL, BY_EVALUATOR, {
        costIfKnown: true,
        cost: ([, list]) => sizeOf(list as Value),
        estimate: ({ args: [, list], sizeOf: size }) => (list === undefined ? undefined : { cost: size(list) }),
      }),
      overload('in_map', [A, MAP_AB], BOOL, BY_EVALUATOR),
    ],
  },
];

const V = param('V');
const K = param('K');
const OPTIONAL_V = optionalOf(V);

/** Operators on optionals, which add overloads to those above. */
export const OPTIONAL_OPERATORS: readonly Declaration[] = [
  {
    name: '_?._',
    doc: 'An optional of a field, which there may not be.',
    examples: [example("{'a': 1}.?a", 'optional.of(1)'), example("{'a': 1}.?b", 'optional.none()')],
    overloads: [overload('select_optional_field', [param('T'), STRING], OPTIONAL_V, BY_EVALUATOR)],
  },
  {
    name: '_[?_]',
    doc: 'An optional of an item of a list or a value of a map, which there may not be.',
    examples: [example('[1][?0]', 'optional.of(1)'), example('[1][?1]', 'optional.none()')],
    overloads: [
      overload('list_optindex_optional_int', [listOf(V), INT], OPTIONAL_V, BY_EVALUATOR),
      overload('optional_list_optindex_optional_int', [optionalOf(listOf(V)), INT], OPTIONAL_V, BY_EVALUATOR),
      overload('map_optindex_optional_value', [mapOf(K, V), K], OPTIONAL_V, BY_EVALUATOR),
      overload('optional_map_optindex_optional_value', [optionalOf(mapOf(K, V)), K], OPTIONAL_V, BY_EVALUATOR),
    ],
  },
  {
    name: '_[_]',
    doc: 'Of an optional: an optional of an item or value.',
    examples: [example('optional.of([1])[0]', 'optional.of(1)')],
    overloads: [
      overload('optional_list_index_int', [optionalOf(listOf(V)), INT], OPTIONAL_V, BY_EVALUATOR),
      overload('optional_map_index_value', [optionalOf(mapOf(K, V)), K], OPTIONAL_V, BY_EVALUATOR),
    ],
  },
];
