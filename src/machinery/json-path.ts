/** A JSONPath expression that is none. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

/** All values that an expression finds in a document, in order; undefined: it asks for what makes no sense there. */
export type JsonPath = (document: unknown) => readonly unknown[] | undefined;

type Step = (values: readonly unknown[]) => readonly unknown[];

/** Something is asked of a value that it cannot answer: an index beyond a list, a filter of what is no list. */
class NoAnswer extends Error {}

/**
 * Reads an expression as kubectl and CustomResourceDefinitions have them: `.spec.list[0].name`, `['key']`, `[*]`,
 * `[1:3]`, `..name`, `[?(@.type=="Ready")]`. Missing members are no error. Source: client-go util/jsonpath.
 * @throws JsonPathError
 */
export function parseJsonPath(text: string): JsonPath {
  const steps = stepsOf(text);
  return document => {
    try {
      return follow(steps, [document]);
    } catch (error) {
      if (error instanceof NoAnswer) return undefined;
      throw error;
    }
  };
}

const follow = (steps: readonly Step[], values: readonly unknown[]): readonly unknown[] =>
  steps.reduce((found, step) => step(found), values);

const TERMINATORS = ' \t\r\n.,[]$@{}';

function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  let at = 0;
  const name = (): string => {
    let value = '';
    for (; at < text.length && !TERMINATORS.includes(text.charAt(at)); at++) {
      if (text[at] === '\\') at++;
      value += text[at] ?? '';
    }
    return value;
  };
  while (at < text.length) {
    const char = text.charAt(at);
    if (text.startsWith('[?(', at)) {
      const end = filterEnd(text, at + 3);
      steps.push(filterStep(text.slice(at + 3, end)));
      at = end + 2;
    } else if (text.startsWith('..', at)) {
      at += 2;
      steps.push(descend);
      if (/[\p{L}\p{Nd}_]/u.test(text.charAt(at))) steps.push(memberStep(name()));
    } else if (char === '[') {
      const end = text.indexOf(']', at);
      if (end < 0) throw new JsonPathError('unterminated array');
      steps.push(bracketStep(text.slice(at + 1, end)));
      at = end + 1;
    } else if (char === '.') {
      at++;
      const field = name();
      if (field === '*') steps.push(everything);
      else if (field !== '' || at < text.length) steps.push(memberStep(field));
    } else if (char === ' ' || char === '@' || char === '$') at++;
    else if (char === '"' || char === "'") {
      const end = closingQuote(text, at);
      const value = unquote(text.slice(at + 1, end));
      steps.push(() => [value]);
      at = end + 1;
    } else {
      const literal = name();
      if (literal === '') throw new JsonPathError(`unrecognized character in action: ${char}`);
      const value = literalValue(literal);
      steps.push(values => values.map(() => value));
    }
  }
  return steps;
}

function literalValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new JsonPathError(`unrecognized identifier ${text}`);
}

function closingQuote(text: string, open: number): number {
  const quote = text.charAt(open);
  for (let at = open + 1; at < text.length; at++) if (text[at] === quote && text[at - 1] !== '\\') return at;
  throw new JsonPathError('unterminated quoted string');
}

const unquote = (text: string): string => text.replace(/\\(.)/g, '$1');

/** Where the parenthesis closes that is in no quotes. */
function filterEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"' || char === "'") at = closingQuote(text, at);
    else if (char === ')') {
      if (text[at + 1] === ']') return at;
      throw new JsonPathError('unclosed array expect ]');
    }
  }
  throw new JsonPathError('unterminated filter');
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

const memberStep =
  (name: string): Step =>
  values =>
    values.flatMap(value =>
      isContainer(value) && !Array.isArray(value) && Object.hasOwn(value, name)
        ? [(value as Record<string, unknown>)[name]]
        : [],
    );

const everything: Step = values =>
  values.flatMap((value): unknown[] => (isContainer(value) ? Object.values(value) : []));

/** Every value that holds others, from the outside to the inside. */
const descend: Step = values => {
  const found: unknown[] = [];
  const waiting = [...values].reverse();
  for (let value = waiting.pop(); value !== undefined || waiting.length > 0; value = waiting.pop()) {
    if (!isContainer(value)) continue;
    const inside: unknown[] = Object.values(value);
    if (inside.length === 0) continue;
    found.push(value);
    for (const one of inside.reverse()) waiting.push(one);
  }
  return found;
};

function bracketStep(text: string): Step {
  if (text.includes(',')) {
    const each = text.split(',').map(part => bracketStep(part.trim()));
    return values => each.flatMap(step => step(values));
  }
  if (text === '*') return sliceStep(undefined, undefined, 1);
  const [, key] = /^'([^']*)'$/.exec(text) ?? [];
  if (key !== undefined) return memberStep(key.replaceAll('\\', ''));
  const [whole, from = '', to, step] = /^(-?\d*)(:-?\d*)?(:\d*)?$/.exec(text) ?? [];
  if (whole === undefined || whole === '') throw new JsonPathError(`invalid array index ${text}`);
  const first = from === '' ? undefined : Number(from);
  if (to === undefined) return itemStep(first ?? 0);
  const every = step === undefined || step === ':' ? 1 : Number(step.slice(1));
  return sliceStep(first, to === ':' ? undefined : Number(to.slice(1)), every);
}

const lists = (values: readonly unknown[]): readonly (readonly unknown[])[] =>
  values.flatMap(value => {
    if (value === null || value === undefined) return [];
    if (!Array.isArray(value)) throw new NoAnswer();
    return [value as readonly unknown[]];
  });

const itemStep =
  (index: number): Step =>
  values =>
    lists(values).map(list => {
      const at = index < 0 ? index + list.length : index;
      if (at < 0 || at >= list.length) throw new NoAnswer();
      return list[at];
    });

function sliceStep(from: number | undefined, to: number | undefined, every: number): Step {
  return values =>
    lists(values).flatMap(list => {
      const first = from === undefined ? 0 : from < 0 ? from + list.length : from;
      const last = to === undefined ? list.length : to < 0 ? to + list.length : to;
      if (first === last) return [];
      if (first < 0 || first >= list.length || last < 0 || last > list.length || first > last || every <= 0)
        throw new NoAnswer();
      return list.slice(first, last).filter((_, i) => i % every === 0);
    });
}

const COMPARE: Readonly<Record<string, (a: string | number | boolean, b: string | number | boolean) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function filterStep(text: string): Step {
  const [, left = '', operator = '', right = ''] = /^([^!<>=]+)([!<>=]+)([^!<>=].*)$/.exec(text) ?? [];
  if (operator === '') {
    const steps = stepsOf(text);
    return values => filtered(values, item => follow(steps, [item]).length > 0);
  }
  const compare = COMPARE[operator];
  if (compare === undefined) throw new JsonPathError(`unrecognized filter operator ${operator}`);
  const [ofLeft, ofRight] = [stepsOf(left), stepsOf(right)];
  return values =>
    filtered(values, item => {
      const [a, b] = [one(follow(ofLeft, [item])), one(follow(ofRight, [item]))];
      if (a === undefined || b === undefined) return false;
      if (typeof a !== typeof b || isContainer(a) || isContainer(b)) throw new NoAnswer();
      return compare(a as string, b as string);
    });
}

function one(values: readonly unknown[]): unknown {
  if (values.length > 1) throw new NoAnswer();
  return values[0];
}

const filtered = (values: readonly unknown[], passes: (item: unknown) => boolean): readonly unknown[] =>
  values.flatMap(value => {
    if (!Array.isArray(value)) throw new NoAnswer();
    return (value as readonly unknown[]).filter(passes);
  });
