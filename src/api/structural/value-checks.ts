import { jsonEqual } from '../../machinery/json-equal.js';
import { compileGoRegex, type GoRegex } from '../../machinery/regex/go-regex.js';
import { RegexError } from '../../machinery/regex/syntax.js';
import type { Steps } from '../../machinery/steps.js';
import { formatCheck } from './formats.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import { codePoints, isJsonInteger, isWhole, toInt64 } from './numbers.js';
import * as problem from './result.js';
import type { Result } from './result.js';
import type { Check } from './value-validator.js';

/** What keywords say of texts, numbers, lists and values of any type. Each is compiled once; undefined: nothing is asked. */

type StringCheck = (text: string, name: string, result: Result) => Steps<void>;

/** The first thing that is wrong with a text. */
export function stringCheck({ maxLength, minLength, pattern }: JsonSchemaProps): StringCheck | undefined {
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

export function valueFormatCheck({ format }: JsonSchemaProps): Check | undefined {
  const check = formatCheck(format);
  if (check === undefined || format === undefined) return undefined;
  return (value, name, result) => {
    if (!check(value as string)) result.add(problem.wrongType(name, format, value as string));
  };
}

export function numberCheck(schema: JsonSchemaProps): Check | undefined {
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

export function enumCheck({ enum: allowed }: JsonSchemaProps): Check | undefined {
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

export function listCheck(schema: JsonSchemaProps, list: readonly unknown[], name: string, result: Result): void {
  const { minItems, maxItems, uniqueItems } = schema;
  if (minItems !== undefined && list.length < minItems) result.add(problem.fewItems(name, list.length, minItems));
  if (maxItems !== undefined && list.length > maxItems) result.add(problem.manyItems(name, list.length, maxItems));
  if (uniqueItems === true && hasRepeats(list)) result.add(problem.repeatedItems(name));
}

const hasRepeats = (list: readonly unknown[]): boolean =>
  new Set(list.map(item => JSON.stringify(item))).size < list.length;
