import { compileGoRegex, type GoRegex } from '../../machinery/regex/go-regex.js';
import { RegexError } from '../../machinery/regex/syntax.js';
import { formatCheck } from './formats.js';
import type { JsonSchemaProps } from './json-schema-props.js';
import { codePoints, isWhole, toInt64 } from './numbers.js';
import { isMap } from './walk.js';

/** So much may still be looked at in one go: members, items, and some of the characters. */
interface Look {
  left: number;
}

type IsFine = (value: unknown, look: Look) => boolean;

/** Of more than this the answer is no: the validator looks at it in steps. */
const MAX_WORK = 10_000;
/** So many characters are as much work as a member. */
const CHARACTERS = 16;
/** So many instructions of a pattern, each of which may be asked about each character. */
const INSTRUCTIONS = 100;

/**
 * Whether the validator of a schema would find nothing wrong with a value. Most values that are written are valid, and
 * what upstream says of those that are not (which texts, how often, in what order) takes many times as much to work out
 * as this. It says no of what it does not know: see there (validator.ts) for what the keywords mean.
 */
export function createQuickCheck(schema: JsonSchemaProps): (value: unknown) => boolean {
  const isFine = lazily(schema);
  return value => isFine(value, { left: MAX_WORK });
}

/** Compiled when first needed: few values of an object are ever there. */
function lazily(schema: JsonSchemaProps): IsFine {
  let compiled: IsFine | undefined;
  return (value, look) => (compiled ??= compile(schema))(value, look);
}

const never: IsFine = () => false;

function compile(schema: JsonSchemaProps): IsFine {
  const { type = '', anyOf = [], allOf = [], oneOf = [], not, multipleOf, uniqueItems } = schema;
  if (oneOf.length > 0 || not !== undefined || multipleOf !== undefined || uniqueItems === true) return never;
  const isText = textCheck(schema);
  const isNumber = numberCheck(schema);
  const isList = listCheck(schema);
  const isMember = mapCheck(schema);
  const alternatives = anyOf.map(lazily);
  const all = allOf.map(lazily);
  const either = schema['x-kubernetes-int-or-string'] === true;
  // An unknown format is none; a known one without a type asks for itself.
  if (type === '' && !either && formatCheck(schema.format) !== undefined) return never;
  const { nullable = false } = schema;
  const allowed = new Set(schema.enum ?? []);
  const has = (one: string): boolean => (either ? one === 'integer' || one === 'string' : type === '' || type === one);
  const [text, boolean, integer, number, list, map] = ['string', 'boolean', 'integer', 'number', 'array', 'object'].map(
    has,
  );

  const fits: IsFine = (value, look) => {
    switch (typeof value) {
      case 'string':
        return text === true && isText(value, look);
      case 'number':
        return (number === true || (integer === true && isWhole(value))) && isNumber(value);
      case 'boolean':
        return boolean === true;
      default:
        if (Array.isArray(value)) return list === true && isList(value, look);
        return map === true && isMap(value) && isMember(value, look);
    }
  };
  return (value, look) => {
    if (--look.left < 0) return false;
    if (value === null) return nullable && type !== '' && allowed.size === 0 && anyOf.length + allOf.length === 0;
    return (
      fits(value, look) &&
      (allowed.size === 0 || allowed.has(value)) &&
      (alternatives.length === 0 || alternatives.some(isFine => isFine(value, look))) &&
      all.every(isFine => isFine(value, look))
    );
  };
}

function textCheck({ minLength = 0, maxLength = Infinity, pattern = '', format }: JsonSchemaProps): IsFine {
  const isOfFormat = formatCheck(format);
  let regex: GoRegex | undefined;
  return (value, look) => {
    const text = value as string;
    if (text.length < minLength || text.length > maxLength || (look.left -= text.length / CHARACTERS) < 0) return false;
    if (text.length < 2 * minLength && codePoints(text) < minLength) return false;
    if (isOfFormat?.(text) === false) return false;
    if (pattern === '') return true;
    regex ??= patternOf(pattern);
    if (regex === undefined || (look.left -= (text.length * regex.size) / INSTRUCTIONS) < 0) return false;
    return regex.test(text);
  };
}

/** undefined: it is none, which the validator says of every value. */
function patternOf(pattern: string): GoRegex | undefined {
  try {
    return compileGoRegex(pattern);
  } catch (error) {
    if (error instanceof RegexError) return undefined;
    throw error;
  }
}

function numberCheck(schema: JsonSchemaProps): (value: number) => boolean {
  const { minimum, maximum, exclusiveMinimum = false, exclusiveMaximum = false } = schema;
  if (minimum === undefined && maximum === undefined) return () => true;
  return value => {
    // Go compares whole numbers with the whole part of what the schema says.
    const limit = (number: number): number => (isWhole(value) ? toInt64(number) : number);
    const least = minimum === undefined ? -Infinity : limit(minimum);
    const most = maximum === undefined ? Infinity : limit(maximum);
    return (exclusiveMinimum ? value > least : value >= least) && (exclusiveMaximum ? value < most : value <= most);
  };
}

function listCheck({ items, minItems = 0, maxItems = Infinity }: JsonSchemaProps): IsFine {
  const isItem = items ? lazily(items) : undefined;
  return (value, look) => {
    const list = value as readonly unknown[];
    if (list.length < minItems || list.length > maxItems) return false;
    return isItem === undefined || list.every(item => isItem(item, look));
  };
}

function mapCheck(schema: JsonSchemaProps): IsFine {
  const { minProperties = 0, maxProperties = Infinity, required = [], additionalProperties: more } = schema;
  const properties = new Map(Object.entries(schema.properties ?? {}).map(([name, member]) => [name, lazily(member)]));
  const isOther = typeof more === 'object' ? lazily(more) : undefined;
  return (value, look) => {
    const map = value as Readonly<Record<string, unknown>>;
    let count = 0;
    for (const key in map) {
      count++;
      const member = map[key];
      const isMember = properties.get(key);
      if (isMember === undefined) {
        if (more === false || isOther?.(member, look) === false) return false;
      } else if (member !== undefined && !isMember(member, look)) return false;
      if (--look.left < 0) return false;
    }
    if (count < minProperties || count > maxProperties || (look.left -= required.length) < 0) return false;
    return required.every(name => Object.hasOwn(map, name) && map[name] !== undefined);
  };
}
