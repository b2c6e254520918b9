import type { Random } from '../../../src/machinery/random.js';
import { pick } from './random-json.js';

const ATOMS: readonly string[] = [
  'self',
  'oldSelf',
  'object',
  'object.spec',
  'self.a',
  'self.b.c',
  'self[0]',
  'self["x"]',
  'request.name',
  '1',
  '-1',
  '9223372036854775807',
  '1u',
  '1.5',
  '"a"',
  "'(a+)+$'",
  'b"x"',
  'true',
  'false',
  'null',
  '[]',
  '[1, 2, 3]',
  '{"a": 1}',
  'duration("1h")',
  'timestamp("2026-01-01T00:00:00Z")',
  'quantity("1Gi")',
  'url("https://example.org/x?y")',
  'ip("10.0.0.1")',
  'optional.none()',
];
const OPERATORS: readonly string[] = ['+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', '&&', '||', 'in'];
const METHODS: readonly string[] = [
  'size',
  'startsWith',
  'matches',
  'contains',
  'split',
  'join',
  'replace',
  'orValue',
  'find',
];
const MACROS: readonly string[] = ['all', 'exists', 'exists_one', 'map', 'filter'];

/** An expression that mostly parses, and sometimes has types that fit. */
export function randomCel(random: Random, depth = 4): string {
  if (depth === 0) return pick(random, ATOMS);
  const one = (): string => randomCel(random, depth - 1);
  switch (random.below(10)) {
    case 0:
      return `!(${one()})`;
    case 1:
      return `${one()} ? ${one()} : ${one()}`;
    case 2:
      return `${one()}.${pick(random, METHODS)}(${random.below(2) === 0 ? '' : one()})`;
    case 3:
      return `[${one()}, ${one()}].${pick(random, MACROS)}(x, ${random.below(2) === 0 ? 'x' : one()} ${pick(random, OPERATORS)} ${one()})`;
    case 4:
      return `has(self.${pick(random, ['a', 'b.c', 'x'])})`;
    case 5:
      return `${pick(random, ['size', 'string', 'int', 'dyn', 'type', 'double'])}(${one()})`;
    case 6:
      return `(${one()})`;
    default:
      return `${one()} ${pick(random, OPERATORS)} ${one()}`;
  }
}
