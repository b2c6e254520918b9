import type { Library, Overload } from '../declarations.js';
import { mapOf, opaque, param } from '../types.js';
import { CelError, type MapValue, type Value, EntryMap, keyOf } from '../values.js';
import { BIND_MACRO, OPTIONAL_MACROS } from './binding-macros.js';
import { CONVERSIONS } from './conversions.js';
import { OPTIONAL_OPERATORS } from './indexing.js';
import { STANDARD_MACROS, TWO_VARIABLE_MACROS } from './macros.js';
import { OPERATORS } from './operators.js';
import { OPTIONAL_FUNCTIONS } from './optionals.js';
import { TEXTS } from './texts.js';
import { TIME_FUNCTIONS } from './time-functions.js';

/** What the language itself has. */
export const STANDARD: Library = {
  name: 'stdlib',
  functions: [...OPERATORS, ...CONVERSIONS, ...TEXTS, ...TIME_FUNCTIONS],
  macros: STANDARD_MACROS,
};

export const OPTIONALS: Library = {
  name: 'optional',
  functions: [...OPTIONAL_OPERATORS, ...OPTIONAL_FUNCTIONS],
  macros: OPTIONAL_MACROS,
  types: [{ type: opaque('optional_type'), doc: 'A value that there may not be.', isIdentifier: true }],
};

const K = param('K');
const V = param('V');
const MAP = mapOf(K, V);

/** Puts entries of `more` into a copy. Loops add to what they accumulate without copying. */
function insertAll(map: Value, more: Iterable<readonly [Value, Value]>): Value {
  const made = new EntryMap();
  for (const [key, value] of entriesOf(map as MapValue)) made.put(key, value);
  for (const [key, value] of more)
    if (!made.add(key, value)) return new CelError(`insert failed: key ${String(keyOf(key))} already exists`);
  return made;
}

export function* entriesOf(map: MapValue): Generator<readonly [Value, Value]> {
  for (const key of map.keys()) {
    const by = keyOf(key);
    const value = by === undefined ? undefined : map.find(by);
    if (value !== undefined) yield [key, value];
  }
}

const insert: readonly Overload[] = [
  {
    id: '@mapInsert_map_key_value',
    args: [MAP, K, V],
    result: MAP,
    bind: (map, key, value) => insertAll(map, [[key, value]]),
  },
  {
    id: '@mapInsert_map_map',
    args: [MAP, MAP],
    result: MAP,
    bind: (map, more) => insertAll(map, entriesOf(more as MapValue)),
  },
];

export const TWO_VARIABLES: Library = {
  name: 'cel.lib.ext.comprev2',
  functions: [{ name: 'cel.@mapInsert', doc: 'A map with more entries.', examples: [], overloads: insert }],
  macros: TWO_VARIABLE_MACROS,
};

/** `cel.bind`, which Kubernetes does not have. */
export const BINDINGS: Library = { name: 'cel.lib.ext.cel.bindings', functions: [], macros: [BIND_MACRO] };
