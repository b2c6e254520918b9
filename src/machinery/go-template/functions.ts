import { formatGo, goJson, quote } from '../go-text.js';

/** A template that cannot go on with what it is given. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export interface TemplateFunction {
  /** How many arguments it takes. */
  readonly least: number;
  readonly most: number;
  /** @throws TemplateError */
  readonly run: (args: readonly unknown[]) => unknown;
}

export type Functions = ReadonlyMap<string, TemplateFunction>;

const MAX_TEXT = 512 * 1024;
const MANY = 1000;

/** A function of so many arguments, or of `least` to `most`. */
export const takes = (
  counts: number | readonly [least: number, most: number],
  run: TemplateFunction['run'],
): TemplateFunction => {
  const [least, most] = typeof counts === 'number' ? [counts, counts] : counts;
  return { least, most, run };
};

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether text/template takes a value for true: all but false, 0, nothing and what is empty. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return value !== null && value !== undefined && value !== false && value !== 0 && value !== '';
}

const textOf = (value: unknown): string => (value === null || value === undefined ? '' : formatGo(value));

/** As sprig makes numbers of what comes: of what is none, 0. */
function numberOf(value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value === true ? 1 : value;
  return typeof number === 'number' && Number.isFinite(number) ? Math.trunc(number) : 0;
}

const limited = (text: string): string => {
  if (text.length > MAX_TEXT) throw new TemplateError(`makes a text of more than ${MAX_TEXT} characters`);
  return text;
};

function listOf(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new TemplateError(`${formatGo(value)} is no list`);
  return value;
}

function areEqual(a: unknown, b: unknown): boolean {
  const [x, y] = [a ?? null, b ?? null];
  if (x === null || y === null) return x === y;
  if (typeof x === 'object' || typeof y === 'object')
    throw new TemplateError('eq: only texts, numbers and truths are compared');
  if (typeof x !== typeof y) throw new TemplateError(`eq: ${formatGo(x)} and ${formatGo(y)} are of different types`);
  return x === y;
}

function order(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw new TemplateError(`${formatGo(a)} and ${formatGo(b)} have no order`);
}

function indexOf([of, ...keys]: readonly unknown[]): unknown {
  return keys.reduce((value, key) => {
    if (isMap(value) && typeof key === 'string') return Object.hasOwn(value, key) ? value[key] : null;
    if (Array.isArray(value) && typeof key === 'number') {
      if (key < 0 || key >= value.length) throw new TemplateError(`index out of range: ${key}`);
      return (value as unknown[])[key];
    }
    throw new TemplateError(`index of ${formatGo(value)} with ${formatGo(key)}`);
  }, of);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  throw new TemplateError(`len of ${formatGo(value)}`);
}

/** %v, %s, %d, %q, %t and %%. */
function printf([format, ...args]: readonly unknown[]): string {
  let next = 0;
  return limited(
    textOf(format).replace(/%(.)/g, (_whole, verb: string) => {
      if (verb === '%') return '%';
      if (!'vsdqt'.includes(verb)) throw new TemplateError(`printf: %${verb} is not supported`);
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next++];
      return verb === 'q' ? quote(textOf(value)) : formatGo(value);
    }),
  );
}

function dict(args: readonly unknown[]): Record<string, unknown> {
  const pairs = Array.from({ length: Math.ceil(args.length / 2) }, (_, i) => [
    textOf(args[2 * i]),
    args[2 * i + 1] ?? '',
  ]);
  return Object.fromEntries(pairs) as Record<string, unknown>;
}

/** Go writes between values a space where neither is a text. */
const print = (args: readonly unknown[]): string =>
  args
    .map((arg, i) =>
      i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string' ? ` ${formatGo(arg)}` : formatGo(arg),
    )
    .join('');

const fold = (add: (a: number, b: number) => number): TemplateFunction =>
  takes([1, MANY], args => args.map(numberOf).reduce(add));

const divisor = (value: unknown): number => {
  const number = numberOf(value);
  if (number === 0) throw new TemplateError('division by zero');
  return number;
};

/** Functions of text/template, and those of sprig that need nothing but their arguments. */
export const FUNCTIONS: Functions = new Map<string, TemplateFunction>(
  Object.entries({
    and: takes([1, MANY], args => args.find(arg => !isTrue(arg)) ?? args.at(-1)),
    or: takes([1, MANY], args => args.find(isTrue) ?? args.at(-1)),
    not: takes(1, ([value]) => !isTrue(value)),
    eq: takes([2, MANY], ([first, ...others]) => others.some(other => areEqual(first, other))),
    ne: takes(2, ([a, b]) => !areEqual(a, b)),
    lt: takes(2, ([a, b]) => order(a, b) < 0),
    le: takes(2, ([a, b]) => order(a, b) <= 0),
    gt: takes(2, ([a, b]) => order(a, b) > 0),
    ge: takes(2, ([a, b]) => order(a, b) >= 0),
    index: takes([1, MANY], indexOf),
    len: takes(1, ([value]) => lengthOf(value)),
    print: takes([0, MANY], print),
    println: takes([0, MANY], args => `${args.map(formatGo).join(' ')}\n`),
    printf: takes([1, MANY], printf),

    dict: takes([0, MANY], dict),
    list: takes([0, MANY], args => [...args]),
    get: takes(2, ([map, key]) => (isMap(map) && Object.hasOwn(map, textOf(key)) ? map[textOf(key)] : '')),
    hasKey: takes(2, ([map, key]) => isMap(map) && Object.hasOwn(map, textOf(key))),
    keys: takes(1, ([map]) => (isMap(map) ? Object.keys(map) : [])),
    first: takes(1, ([list]) => listOf(list)[0] ?? null),
    last: takes(1, ([list]) => listOf(list).at(-1) ?? null),
    has: takes(2, ([value, list]) => listOf(list).some(item => item === value)),
    default: takes(2, ([otherwise, value]) => (isTrue(value) ? value : otherwise)),
    coalesce: takes([1, MANY], args => args.find(isTrue) ?? null),
    empty: takes(1, ([value]) => !isTrue(value)),
    ternary: takes(3, ([yes, no, which]) => (which === true ? yes : no)),
    add: fold((a, b) => a + b),
    add1: takes(1, ([value]) => numberOf(value) + 1),
    sub: takes(2, ([a, b]) => numberOf(a) - numberOf(b)),
    mul: fold((a, b) => a * b),
    div: takes(2, ([a, b]) => Math.trunc(numberOf(a) / divisor(b))),
    mod: takes(2, ([a, b]) => numberOf(a) % divisor(b)),
    max: fold(Math.max),
    min: fold(Math.min),
    int: takes(1, ([value]) => numberOf(value)),
    int64: takes(1, ([value]) => numberOf(value)),
    atoi: takes(1, ([value]) => numberOf(value)),
    toString: takes(1, ([value]) => textOf(value)),
    quote: takes([0, MANY], args =>
      args
        .filter(arg => arg !== null && arg !== undefined)
        .map(arg => quote(textOf(arg)))
        .join(' '),
    ),
    squote: takes([0, MANY], args =>
      args
        .filter(arg => arg !== null && arg !== undefined)
        .map(arg => `'${textOf(arg)}'`)
        .join(' '),
    ),
    toJson: takes(1, ([value]) => goJson(value)),
    upper: takes(1, ([text]) => textOf(text).toUpperCase()),
    lower: takes(1, ([text]) => textOf(text).toLowerCase()),
    trim: takes(1, ([text]) => textOf(text).trim()),
    trimPrefix: takes(2, ([prefix, text]) => {
      const [start, whole] = [textOf(prefix), textOf(text)];
      return whole.startsWith(start) ? whole.slice(start.length) : whole;
    }),
    trimSuffix: takes(2, ([suffix, text]) => {
      const [end, whole] = [textOf(suffix), textOf(text)];
      return end !== '' && whole.endsWith(end) ? whole.slice(0, -end.length) : whole;
    }),
    trunc: takes(2, ([length, text]) =>
      numberOf(length) < 0 ? textOf(text).slice(numberOf(length)) : textOf(text).slice(0, numberOf(length)),
    ),
    contains: takes(2, ([part, text]) => textOf(text).includes(textOf(part))),
    hasPrefix: takes(2, ([prefix, text]) => textOf(text).startsWith(textOf(prefix))),
    hasSuffix: takes(2, ([suffix, text]) => textOf(text).endsWith(textOf(suffix))),
    replace: takes(3, ([from, to, text]) => {
      const parts = textOf(text).split(textOf(from));
      if ((parts.length - 1) * textOf(to).length > MAX_TEXT) throw new TemplateError('replace: too much to write');
      return limited(parts.join(textOf(to)));
    }),
    splitList: takes(2, ([separator, text]) => textOf(text).split(textOf(separator))),
    join: takes(2, ([separator, list]) => {
      const items = listOf(list).map(textOf);
      if (items.length * textOf(separator).length > MAX_TEXT) throw new TemplateError('join: too much to write');
      return limited(items.join(textOf(separator)));
    }),
  }),
);
