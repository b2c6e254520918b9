import { formatFieldError, invalid, path, type FieldError, type FieldPath } from './field-error.js';
import { quote } from './go-text.js';
import { trimStart } from './trim.js';
import type { DeepReadonly, LabelSelector } from './types.js';
import { isLabelValue, isQualifiedName } from './validation/names.js';

/** Label selectors: the text form of queries and the object form of specs. Source: apimachinery pkg/labels. */

export type SelectorOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!';

export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  /** Sorted and without duplicates when parsed from text. */
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  matches(labels: Labels | undefined | null): boolean;
  /** Sorted by key. Empty also for `nothing`, see `selectable`. */
  readonly requirements: readonly Requirement[];
  /** False when the selector matches nothing by definition. */
  readonly selectable: boolean;
  /** True when everything matches. */
  readonly empty: boolean;
  /** The text form, which parses to an equal selector. */
  toString(): string;
}

/** A selector that cannot be understood; `message` is what the API server answers with 400. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

const INTEGER = /^[+-]?[0-9]+$/;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** strconv.ParseInt(text, 10, 64). */
const parseInt64 = (text: string): bigint | undefined => {
  if (!INTEGER.test(text)) return undefined;
  // Leading zeros do not count, and a number of thousands of digits takes long to make.
  if (text.length > 64 && trimStart(text.replace(/^[+-]/, ''), '0').length > 19) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value >= MIN_INT64 && value <= MAX_INT64 ? value : undefined;
};

/** Sets longer than this are looked up by hash. */
const FEW_VALUES = 8;

/** Whether a value is one of a requirement's. */
const membership = ({ values }: Requirement): ((value: string) => boolean) => {
  if (values.length <= FEW_VALUES) return value => values.includes(value);
  const set = new Set(values);
  return value => set.has(value);
};

function requirementMatches(
  { key, operator, values }: Requirement,
  isOneOf: (value: string) => boolean,
  labels: Labels,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && isOneOf(value);
    case 'notin':
    case '!=':
      return value === undefined || !isOneOf(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      const actual = value === undefined ? undefined : parseInt64(value);
      const bound = values.length === 1 ? parseInt64(values[0] ?? '') : undefined;
      if (actual === undefined || bound === undefined) return false;
      return operator === 'gt' ? actual > bound : actual < bound;
    }
  }
}

export function formatRequirement({ key, operator, values }: Requirement): string {
  const list = values.length > 1 ? [...values].sort().join(',') : (values[0] ?? '');
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${list})`;
    case 'gt':
      return `${key}>${list}`;
    case 'lt':
      return `${key}<${list}`;
    case '=':
    case '==':
    case '!=':
      return `${key}${operator}${list}`;
  }
}

const NO_LABELS: Labels = {};
const byKey = (a: Requirement, b: Requirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** The conjunction of requirements that are known to be valid. */
export function selectorOf(requirements: readonly Requirement[]): Selector {
  const sorted = [...requirements].sort(byKey);
  const tests = sorted.map(requirement => [requirement, membership(requirement)] as const);
  return {
    requirements: sorted,
    selectable: true,
    empty: sorted.length === 0,
    matches: labels =>
      tests.every(([requirement, isOneOf]) => requirementMatches(requirement, isOneOf, labels ?? NO_LABELS)),
    toString: () => sorted.map(formatRequirement).join(','),
  };
}

export const everything: Selector = selectorOf([]);
export const nothing: Selector = {
  requirements: [],
  selectable: false,
  empty: false,
  matches: () => false,
  toString: () => '',
};

/** Equality with every label of a map, e.g. a Service's spec.selector. Values are not checked. */
export const selectorFromLabels = (labels: Labels | undefined | null): Selector =>
  selectorOf(Object.entries(labels ?? NO_LABELS).map(([key, value]) => ({ key, operator: '=', values: [value] })));

/** What is wrong with a requirement, as upstream's NewRequirement says it. */
export function validateRequirement({ key, operator, values }: Requirement, at: FieldPath = path()): FieldError[] {
  const errors: FieldError[] = [];
  const keyProblems = isQualifiedName(key);
  if (keyProblems.length > 0) errors.push(invalid(at.child('key'), key, keyProblems.join('; ')));
  const valuesAt = at.child('values');
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length === 0) {
        errors.push(invalid(valuesAt, values, "for 'in', 'notin' operators, values set can't be empty"));
      }
      break;
    case '=':
    case '==':
    case '!=':
      if (values.length !== 1) {
        errors.push(invalid(valuesAt, values, 'exact-match compatibility requires one single value'));
      }
      break;
    case 'exists':
    case '!':
      if (values.length > 0) {
        errors.push(invalid(valuesAt, values, 'values set must be empty for exists and does not exist'));
      }
      break;
    case 'gt':
    case 'lt':
      if (values.length !== 1) {
        errors.push(invalid(valuesAt, values, "for 'Gt', 'Lt' operators, exactly one value is required"));
      }
      values.forEach((value, i) => {
        if (parseInt64(value) === undefined) {
          errors.push(invalid(valuesAt.index(i), value, "for 'Gt', 'Lt' operators, the value must be an integer"));
        }
      });
  }
  values.forEach((value, i) => {
    const problems = isLabelValue(value);
    if (problems.length > 0) errors.push(invalid(valuesAt.index(i).key(key), value, problems.join('; ')));
  });
  return errors;
}

/** utilerrors.Aggregate: distinct texts, in brackets when there are several. */
const aggregate = (errors: readonly FieldError[]): string => {
  const texts = [...new Set(errors.map(formatFieldError))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
};

interface Token {
  readonly kind:
    'end' | 'error' | 'identifier' | ')' | '(' | ',' | '!' | '==' | '=' | '>' | '<' | '!=' | 'in' | 'notin';
  readonly text: string;
}

const SYMBOLS: ReadonlySet<string> = new Set([')', '(', ',', '!', '==', '=', '>', '<', '!=']);
const isSpecial = (char: string): boolean => '=!(),><'.includes(char);
const isBlank = (char: string): boolean => ' \t\r\n'.includes(char);

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (isBlank(char)) {
      at++;
    } else if (isSpecial(char)) {
      // The longest run that is a token: "!=" but not "=>" (which is "=" and ">").
      const two = text.slice(at, at + 2);
      const symbol = two.length === 2 && SYMBOLS.has(two) ? two : char;
      tokens.push({ kind: symbol as Token['kind'], text: symbol });
      at += symbol.length;
    } else {
      const start = at;
      while (at < text.length && !isSpecial(text.charAt(at)) && !isBlank(text.charAt(at))) at++;
      const word = text.slice(start, at);
      tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
    }
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

const END: Token = { kind: 'end', text: '' };
const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt';

/** Where a value may stand, the words "in" and "notin" are values. */
const asValue = (token: Token): Token['kind'] =>
  token.kind === 'in' || token.kind === 'notin' ? 'identifier' : token.kind;

class Parser {
  private readonly tokens: readonly Token[];
  private position = 0;

  constructor(text: string) {
    this.tokens = scan(text);
  }
  private look(): Token {
    return this.tokens[this.position] ?? END;
  }
  private take(): Token {
    const token = this.look();
    this.position++;
    return token;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const start = asValue(this.look());
      if (start === 'end') return requirements;
      if (start !== 'identifier' && start !== '!') {
        throw new SelectorError(`found '${this.look().text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.requirement());
      const next = this.take();
      if (next.kind === 'end') return requirements;
      if (next.kind !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = asValue(this.look());
      if (after !== 'identifier' && after !== '!') {
        throw new SelectorError(`found '${this.look().text}', expected: identifier after ','`);
      }
    }
  }

  private requirement(): Requirement {
    const fail = (text: string): never => {
      throw new SelectorError(`unable to parse requirement: ${text}`);
    };
    let token = this.take();
    const negated = token.kind === '!';
    if (negated) token = this.take();
    if (asValue(token) !== 'identifier') return fail(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const problems = isQualifiedName(key);
    // Upstream prints the zero path as "<nil>", the text of a nil pointer.
    if (problems.length > 0) return fail(formatFieldError(invalid('<nil>', key, problems.join('; '))));
    const next = this.look().kind;
    const operator: SelectorOperator = negated ? '!' : next === 'end' || next === ',' ? 'exists' : this.operator(fail);
    const values = operator === '!' || operator === 'exists' ? [] : this.values(operator, fail);
    const requirement: Requirement = { key, operator, values: [...new Set(values)].sort() };
    const errors = validateRequirement(requirement);
    return errors.length > 0 ? fail(aggregate(errors)) : requirement;
  }

  private operator(fail: (text: string) => never): SelectorOperator {
    const token = this.take();
    switch (token.kind) {
      case 'in':
      case 'notin':
      case '=':
      case '==':
      case '!=':
        return token.kind;
      case '>':
        return 'gt';
      case '<':
        return 'lt';
      default:
        return fail(`found '${token.text}', expected: ${BINARY_OPERATORS}`);
    }
  }

  private values(operator: SelectorOperator, fail: (text: string) => never): string[] {
    if (operator !== 'in' && operator !== 'notin') {
      if (this.look().kind === 'end' || this.look().kind === ',') return [''];
      const token = this.take();
      return asValue(token) === 'identifier' ? [token.text] : fail(`found '${token.text}', expected: identifier`);
    }
    const open = this.take();
    if (open.kind !== '(') return fail(`found '${open.text}' expected: '('`);
    const first = asValue(this.look());
    if (first === ')') {
      this.take();
      return [''];
    }
    if (first !== 'identifier' && first !== ',') {
      return fail(`found '${this.look().text}', expected: ',', ')' or identifier`);
    }
    return this.list(fail);
  }

  /** Values up to and including ')'; empty ones stand for "". */
  private list(fail: (text: string) => never): string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.take();
      const next = this.look();
      if (asValue(token) === 'identifier') {
        values.push(token.text);
        if (next.kind === ')') break;
        if (next.kind !== ',') return fail(`found '${next.text}', expected: ',' or ')'`);
      } else if (token.kind === ',') {
        if (values.length === 0 || next.kind === ')' || next.kind === ',') values.push('');
        if (next.kind === ')') break;
      } else {
        return fail(`found '${token.text}', expected: ',', or identifier`);
      }
    }
    this.take();
    return values;
  }
}

/** The labelSelector of a query. @throws SelectorError with upstream's text */
export const parseLabelSelector = (text: string): Selector =>
  text === '' ? everything : selectorOf(new Parser(text).parse());

const OPERATORS = new Map<string, SelectorOperator>([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

/**
 * A LabelSelector object as a selector: none selects nothing, an empty one everything.
 * @throws SelectorError when it is not valid (validateLabelSelector gives field errors)
 */
export function labelSelectorAsSelector(selector: DeepReadonly<LabelSelector> | undefined | null): Selector {
  if (selector === undefined || selector === null) return nothing;
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? NO_LABELS).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OPERATORS.get(operator);
    if (known === undefined) {
      throw new SelectorError(`${quote(operator)} is not a valid label selector operator`);
    }
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  for (const requirement of requirements) {
    const errors = validateRequirement(requirement);
    if (errors.length > 0) throw new SelectorError(aggregate(errors));
  }
  return selectorOf(requirements);
}

/** The text form of a LabelSelector object, as scale's status.selector and tables show it. @throws SelectorError */
export const formatLabelSelector = (selector: DeepReadonly<LabelSelector> | undefined | null): string =>
  labelSelectorAsSelector(selector).toString();
