import { formatFieldError, invalid } from './field-error.js';
import {
  aggregate,
  SelectorError,
  validateRequirement,
  type Requirement,
  type SelectorOperator,
} from './label-requirement.js';
import { isQualifiedName } from './validation/names.js';

interface Token {
  readonly kind:
    | 'end'
    | 'error'
    | 'identifier'
    | ')'
    | '('
    | ','
    | '!'
    | '=='
    | '='
    | '>'
    | '<'
    | '!='
    | 'in'
    | 'notin';
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

/** The grammar of upstream's Parser: a list of requirements. */
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

/** The requirements of a selector's text, in its order. @throws SelectorError with upstream's text */
export const parseRequirements = (text: string): Requirement[] => new Parser(text).parse();
