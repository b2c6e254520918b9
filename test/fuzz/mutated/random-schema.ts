import type { Random } from '../../../src/machinery/random.js';
import { randomCel } from './random-cel.js';
import { pick, randomJson } from './random-json.js';

export type Schema = Record<string, unknown>;

const NAMES: readonly string[] = ['a', 'b', 'c', 'host', 'port', 'items', '__proto__', 'x-y'];
const FORMATS: readonly string[] = ['date-time', 'duration', 'int32', 'byte', 'ipv4', 'uuid', 'email', 'unknown'];
const PATTERNS: readonly string[] = ['^a+$', '(a+)+$', '[', '\\d{1,1000}', '(?i)x', ''];

/** A schema that is mostly structural; what is wrong with some of them the server has to say. */
export function randomSchema(random: Random, depth = 4): Schema {
  const extra: Schema = {};
  if (random.below(6) === 0) extra['nullable'] = true;
  if (random.below(6) === 0) extra['default'] = randomJson(random, 1);
  if (random.below(8) === 0) extra['enum'] = [randomJson(random, 0), randomJson(random, 0)];
  if (random.below(5) === 0)
    extra['x-kubernetes-validations'] = [{ rule: randomCel(random, 3), message: pick(random, ['', 'no', 'a\nb']) }];
  if (random.below(12) === 0) extra['anyOf'] = [randomSchema(random, 0), { required: ['a'] }];
  switch (random.below(depth > 0 ? 8 : 5)) {
    case 0:
      return { type: 'string', maxLength: random.below(100), format: pick(random, FORMATS), ...extra };
    case 1:
      return { type: 'string', pattern: pick(random, PATTERNS), ...extra };
    case 2:
      return { type: 'integer', minimum: random.below(10), multipleOf: random.below(3), ...extra };
    case 3:
      return { type: pick(random, ['number', 'boolean', 'null', '']), ...extra };
    case 4:
      return { 'x-kubernetes-int-or-string': true, ...extra };
    case 5:
      return {
        type: 'array',
        items: randomSchema(random, depth - 1),
        ...(random.below(3) === 0
          ? { 'x-kubernetes-list-type': pick(random, ['set', 'map', 'atomic']), 'x-kubernetes-list-map-keys': ['a'] }
          : {}),
        ...(random.below(2) === 0 ? { maxItems: random.below(10) } : {}),
        ...extra,
      };
    case 6:
      return { type: 'object', additionalProperties: randomSchema(random, depth - 1), ...extra };
    default: {
      const names = NAMES.filter(() => random.below(2) === 0);
      return {
        type: 'object',
        properties: Object.fromEntries(names.map(name => [name, randomSchema(random, depth - 1)])),
        ...(random.below(3) === 0 ? { required: names.slice(0, 1) } : {}),
        ...(random.below(6) === 0 ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
        ...extra,
      };
    }
  }
}

/** A value that mostly fits a schema. */
export function valueOf(random: Random, schema: Schema, depth = 5): unknown {
  if (depth === 0 || random.below(12) === 0) return randomJson(random, 1);
  const { type, properties, items, additionalProperties } = schema;
  const below = (inner: unknown): unknown => valueOf(random, (inner ?? {}) as Schema, depth - 1);
  switch (type) {
    case 'string':
      return pick(random, ['a', 'aaa', '', '2026-01-01T00:00:00Z', '1h', '10.0.0.1']);
    case 'integer':
      return random.below(20);
    case 'number':
      return random.number();
    case 'boolean':
      return random.below(2) === 0;
    case 'array':
      return Array.from({ length: random.below(4) }, () => below(items));
    case 'object':
      if (properties === undefined) return { k: below(additionalProperties), l: below(additionalProperties) };
      return Object.fromEntries(
        Object.entries(properties as Record<string, unknown>)
          .filter(() => random.below(4) > 0)
          .map(([name, inner]) => [name, below(inner)]),
      );
    default:
      return random.below(2) === 0 ? 'x' : 7;
  }
}
