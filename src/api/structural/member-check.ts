import type { Pace } from '../../machinery/pace.js';
import type { Steps } from '../../machinery/steps.js';
import type { JsonObject } from '../../machinery/types.js';
import type { Correlation } from './correlation.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import * as problem from './result.js';
import type { Result } from './result.js';
import { checkAgain, type MakeValidator, type ValueValidator } from './value-validator.js';

type MemberCheck = (
  map: JsonObject,
  name: string,
  old: Correlation | undefined,
  result: Result,
  pace: Pace,
) => Steps<void>;

/** Every object has a `constructor` that is not its own. */
const isThere = (map: JsonObject, key: string): boolean => Object.hasOwn(map, key) && map[key] !== undefined;

/** The members of a map: how many there are, which must and may be there, and what each of them is. */
export function memberCheck(schema: JsonSchemaProps, make: MakeValidator): MemberCheck {
  const { minProperties, maxProperties, required = [], additionalProperties: more } = schema;
  const properties = new Map(Object.entries(schema.properties ?? {}).map(([name, member]) => [name, make(member)]));
  const others = typeof more === 'object' ? make(more) : undefined;

  function* member(
    validator: ValueValidator,
    map: JsonObject,
    key: string,
    at: string,
    old: Correlation | undefined,
    result: Result,
    pace: Pace,
  ): Steps<void> {
    // The version of an object changes without anybody seeing it.
    const child = old?.isRoot === true && (key === 'kind' || key === 'apiVersion') ? undefined : old?.key(key);
    result.merge(
      child === undefined
        ? yield* validator.check(map[key], at, old, pace)
        : yield* checkAgain(validator, child, at, pace),
    );
  }
  return function* (map, name, old, result, pace) {
    const count = Object.keys(map).length;
    if (minProperties !== undefined && count < minProperties)
      result.add(problem.fewProperties(name, count, minProperties));
    if (maxProperties !== undefined && count > maxProperties)
      result.add(problem.manyProperties(name, count, maxProperties));
    if (more === false) {
      for (const key in map) if (!properties.has(key)) result.add(problem.forbiddenProperty(name, key));
    } else if (others !== undefined) {
      for (const key in map)
        if (!properties.has(key)) yield* member(others, map, key, `${name}.${key}`, old, result, pace);
    }
    for (const [key, validator] of properties)
      if (isThere(map, key))
        yield* member(validator, map, key, name === '' ? key : `${name}.${key}`, old, result, pace);
    for (const key of required) if (!isThere(map, key)) result.add(problem.missing(`${name}.${key}`));
  };
}
