import { isDue, type Pace } from '../../machinery/pace.js';
import { codePoints, isJsonInteger, isWhole, toInt64 } from './numbers.js';
import { jsonEqual } from '../../machinery/json-equal.js';
import { compileGoRegex, type GoRegex } from '../../machinery/regex/go-regex.js';
import { RegexError } from '../../machinery/regex/syntax.js';
import type { Steps } from '../../machinery/steps.js';
import type { JsonObject } from '../../machinery/types.js';
import type { Correlation } from './correlation.js';
import { formatCheck } from './formats.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import * as problem from './result.js';
import { Result } from './result.js';
import { isMap } from './walk.js';

/**
 * Checks values against a schema as kube-openapi pkg/validation/validate does, text by text and count by count: which
 * alternative of several is the best one depends on how many checks it passed.
 */
export interface ValueValidator {
  check(value: unknown, name: string, old: Correlation | undefined, pace: Pace): Steps<Result>;
}

/**
 * What a schema says of types. Upstream checks objects by one form of it, and the defaults in it by another: there an
 * unknown format is one for all that, and what may be an integer or a string may be anything.
 */
export type TypeReading = 'objects' | 'defaults';

/** Compiled when first needed: few values of an object are ever there. */
export function createValueValidator(schema: JsonSchemaProps, reading: TypeReading = 'objects'): ValueValidator {
  let compiled: ValueValidator['check'] | undefined;
  return {
    check: (value, name, old, pace) => (compiled ??= compile(schema, reading))(value, name, old, pace),
  };
}

/** As createValueValidator, of a value that was there before: when it has not changed, it may be wrong. */
export function* checkAgain(validator: ValueValidator, old: Correlation, name: string, pace: Pace): Steps<Result> {
  const result = yield* validator.check(old.value, name, old, pace);
  return result.isValid || !old.isEqual() ? result : new Result();
}

type Check = (value: unknown, name: string, result: Result) => void;

function compile(schema: JsonSchemaProps, reading: TypeReading): ValueValidator['check'] {
  const ofType = typeCheck(schema, reading);
  const ofString = stringCheck(schema);
  const ofFormat = formatOf(schema);
  const ofNumber = numberCheck(schema);
  const ofEnum = enumCheck(schema);
  const combined = combinations(schema, reading);
  const items = schema.items ? createValueValidator(schema.items, reading) : undefined;
  const members = memberCheck(schema, reading);
  return function* (value, name, old, pace) {
    const result = new Result();
    if (value === null || value === undefined) {
      if (ofType === undefined) result.matches++;
      else ofType(null, name, result);
      ofEnum?.(null, name, result);
      return result;
    }
    if (isDue(pace)) yield;
    if (ofType !== undefined) {
      ofType(value, name, result);
      result.matches++;
    }
    // Each kind of check that is made counts, whether it finds anything to look at or not.
    result.matches++;
    if (combined === undefined) result.matches++;
    else result.merge(yield* combined(value, name, old, pace));
    if (typeof value === 'string') {
      if (ofString !== undefined) yield* ofString(value, name, result);
      result.matches++;
      if (ofFormat !== undefined) {
        ofFormat(value, name, result);
        result.matches++;
      }
    } else if (typeof value === 'number') {
      ofNumber?.(value, name, result);
      result.matches += 2;
    } else if (Array.isArray(value)) {
      for (const [i, item] of items === undefined ? [] : value.entries()) {
        const at = `${name}[${i}]`;
        const child = old?.index(i);
        const checked = items as ValueValidator;
        result.merge(
          child === undefined ? yield* checked.check(item, at, old, pace) : yield* checkAgain(checked, child, at, pace),
        );
      }
      listCheck(schema, value, name, result);
      result.matches += 2;
    }
    ofEnum?.(value, name, result);
    result.matches++;
    if (isMap(value)) {
      yield* members(value, name, old, result, pace);
      result.matches++;
    }
    result.matches++;
    return result;
  };
}

const TYPE_NAMES: Readonly<Record<string, string>> = { string: 'string', boolean: 'boolean' };

function typeName(value: unknown): string {
  if (typeof value === 'number') return isWhole(value) ? 'integer' : 'number';
  if (Array.isArray(value)) return 'array';
  return TYPE_NAMES[typeof value] ?? 'object';
}

/** undefined: neither a type nor a known format is asked for. */
function typeCheck(schema: JsonSchemaProps, reading: TypeReading): Check | undefined {
  const isEither = schema['x-kubernetes-int-or-string'] === true && reading === 'objects';
  const types = isEither ? ['integer', 'string'] : schema.type ? [schema.type] : [];
  const isFormat = reading === 'defaults' || formatCheck(schema.format) !== undefined;
  const format = isFormat ? (schema.format ?? '') : '';
  if (types.length === 0 && format === '') return undefined;
  const wanted = types.join(',');
  const isNumeric = types.includes('number') || types.includes('integer');
  return (value, name, result) => {
    if (value === null) {
      if (types.length > 0 && schema.nullable !== true) result.add(problem.wrongType(name, wanted, 'null'));
      else result.matches++;
      return;
    }
    const found = typeName(value);
    const fits =
      types.includes(found) ||
      (found === 'integer' && types.includes('number')) ||
      (found === 'number' && types.includes('integer') && isJsonInteger(value as number));
    const isText = found === 'string' || found === 'array';
    const own = found === 'integer' ? 'int64' : found === 'number' ? 'float64' : '';
    if (format !== '' && !isText && !fits && own !== format) {
      result.add(problem.wrongType(name, format, own));
    } else if (format !== '' && isText && !isNumeric) result.matches++;
    else if (fits) result.matches++;
    else result.add(problem.wrongType(name, wanted, found));
  };
}

type StringCheck = (text: string, name: string, result: Result) => Steps<void>;

/** The first thing that is wrong with a text. */
function stringCheck({ maxLength, minLength, pattern }: JsonSchemaProps): StringCheck | undefined {
  if (maxLength === undefined && minLength === undefined && (pattern ?? '') === '') return undefined;
  const wanted = pattern ?? '';
  let regex: GoRegex | undefined;
  return function* (text, name, result) {
    if (maxLength !== undefined && text.length > maxLength && codePoints(text) > maxLength)
      return result.add(problem.longText(name, maxLength));
    if (minLength !== undefined && codePoints(text) < minLength)
      return result.add(problem.shortText(name, text, minLength));
    if (wanted === '') return;
    try {
      regex ??= compileGoRegex(wanted);
    } catch (error) {
      if (!(error instanceof RegexError)) throw error;
      return result.add(problem.noMatch(name, text, `${wanted}, but pattern is invalid: ${error.message}`));
    }
    if (!(yield* regex.steps(text))) result.add(problem.noMatch(name, text, wanted));
  };
}

function formatOf({ format }: JsonSchemaProps): Check | undefined {
  const check = formatCheck(format);
  if (check === undefined || format === undefined) return undefined;
  return (value, name, result) => {
    if (!check(value as string)) result.add(problem.wrongType(name, format, value as string));
  };
}

function numberCheck(schema: JsonSchemaProps): Check | undefined {
  const { multipleOf, minimum, maximum, exclusiveMinimum = false, exclusiveMaximum = false } = schema;
  if (multipleOf === undefined && minimum === undefined && maximum === undefined) return undefined;
  return (given, name, result) => {
    const value = given as number;
    const whole = isWhole(value);
    // Go compares whole numbers with the whole part of what the schema says.
    const limit = (number: number): number => (whole ? toInt64(number) : number);
    if (multipleOf !== undefined) {
      const factor = limit(multipleOf);
      if (factor <= 0) result.add(problem.strangeFactor(name, factor));
      else if (!isMultiple(value, factor, whole)) result.add(problem.noMultiple(name, value, factor, whole));
    }
    if (minimum !== undefined) {
      const least = limit(minimum);
      if (exclusiveMinimum ? value <= least : value < least)
        result.add(problem.below(name, value, least, exclusiveMinimum, whole));
    }
    if (maximum !== undefined) {
      const most = limit(maximum);
      if (exclusiveMaximum ? value >= most : value > most)
        result.add(problem.above(name, value, most, exclusiveMaximum, whole));
    }
  };
}

function isMultiple(value: number, factor: number, whole: boolean): boolean {
  if (whole) return value % factor === 0;
  return isJsonInteger(factor < 1 ? (1 / factor) * value : value / factor);
}

function enumCheck({ enum: allowed }: JsonSchemaProps): Check | undefined {
  if (allowed === undefined || allowed.length === 0) return undefined;
  return (value, name, result) => {
    if (value === null || !allowed.some(one => isSame(value, one))) result.add(problem.notInEnum(name, value, allowed));
  };
}

/** Whether a value is one that is allowed, after Go has converted it to that one's type where it can. */
function isSame(value: unknown, allowed: unknown): boolean {
  if (jsonEqual(value, allowed)) return true;
  if (typeof value !== 'number') return false;
  if (typeof allowed === 'number') return isWhole(allowed) && toInt64(value) === allowed;
  if (typeof allowed !== 'string' || !isWhole(value)) return false;
  const isCharacter = value >= 0 && value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff);
  return allowed === (isCharacter ? String.fromCodePoint(value) : '\ufffd');
}

function listCheck(schema: JsonSchemaProps, list: readonly unknown[], name: string, result: Result): void {
  const { minItems, maxItems, uniqueItems } = schema;
  if (minItems !== undefined && list.length < minItems) result.add(problem.fewItems(name, list.length, minItems));
  if (maxItems !== undefined && list.length > maxItems) result.add(problem.manyItems(name, list.length, maxItems));
  if (uniqueItems === true && hasRepeats(list)) result.add(problem.repeatedItems(name));
}

const hasRepeats = (list: readonly unknown[]): boolean =>
  new Set(list.map(item => JSON.stringify(item))).size < list.length;

type MemberCheck = (
  map: JsonObject,
  name: string,
  old: Correlation | undefined,
  result: Result,
  pace: Pace,
) => Steps<void>;

/** Every object has a `constructor` that is not its own. */
const isThere = (map: JsonObject, key: string): boolean => Object.hasOwn(map, key) && map[key] !== undefined;

function memberCheck(schema: JsonSchemaProps, reading: TypeReading): MemberCheck {
  const { minProperties, maxProperties, required = [], additionalProperties: more } = schema;
  const properties = new Map(
    Object.entries(schema.properties ?? {}).map(([name, member]) => [name, createValueValidator(member, reading)]),
  );
  const others = typeof more === 'object' ? createValueValidator(more, reading) : undefined;

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

/** anyOf, oneOf, allOf and not; undefined: there is none of them. */
function combinations(schema: JsonSchemaProps, reading: TypeReading): ValueValidator['check'] | undefined {
  const validators = (list: readonly JsonSchemaProps[] = []): ValueValidator[] =>
    list.map(one => createValueValidator(one, reading));
  const anyOf = validators(schema.anyOf);
  const oneOf = validators(schema.oneOf);
  const allOf = validators(schema.allOf);
  const not = schema.not === undefined ? undefined : createValueValidator(schema.not, reading);
  if (anyOf.length + oneOf.length + allOf.length === 0 && not === undefined) return undefined;
  return function* (value, name, old, pace) {
    const result = new Result();
    if (anyOf.length > 0) yield* checkAny(anyOf, value, name, old, result, pace);
    if (oneOf.length > 0) yield* checkOne(oneOf, value, name, old, result, pace);
    if (allOf.length > 0) {
      let valid = 0;
      for (const validator of allOf) {
        const one = yield* validator.check(value, name, old, pace);
        if (one.isValid) valid++;
        result.merge(one);
      }
      if (valid < allOf.length) result.add(problem.notAllOf(name, valid === 0));
    }
    if (not !== undefined && (yield* not.check(value, name, old, pace)).isValid) result.add(problem.isNot(name));
    result.matches++;
    return result;
  };
}

/** The first valid one is enough; when there is none, the problems of the one that came closest are shown. */
function* checkAny(
  validators: readonly ValueValidator[],
  value: unknown,
  name: string,
  old: Correlation | undefined,
  result: Result,
  pace: Pace,
): Steps<void> {
  let best: Result | undefined;
  for (const validator of validators) {
    const one = yield* validator.check(value, name, old, pace);
    if (one.isValid) return result.merge(one);
    if (best === undefined || one.matches > best.matches) best = one;
  }
  result.add(problem.noneOfAny(name));
  if (best !== undefined) result.merge(best);
}

function* checkOne(
  validators: readonly ValueValidator[],
  value: unknown,
  name: string,
  old: Correlation | undefined,
  result: Result,
  pace: Pace,
): Steps<void> {
  let best: Result | undefined;
  let first: Result | undefined;
  let valid = 0;
  for (const validator of validators) {
    const one = yield* validator.check(value, name, old, pace);
    if (one.isValid) {
      valid++;
      first ??= one;
    } else if (valid === 0 && (best === undefined || one.matches > best.matches)) best = one;
  }
  if (valid === 1 && first !== undefined) return result.merge(first);
  result.add(problem.notOneOf(name, valid));
  if (valid === 0 && best !== undefined) result.merge(best);
}
