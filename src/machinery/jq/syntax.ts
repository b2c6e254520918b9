/** An expression of jq's language that is not read here. `message` quotes where it ends to be understood. */
export class JqSyntaxError extends Error {
  override readonly name = 'JqSyntaxError';
}

export type Expression =
  | { readonly kind: 'identity' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'field'; readonly of: Expression; readonly name: string | number }
  | { readonly kind: 'each'; readonly of: Expression }
  /** What goes wrong in it gives nothing: "?" */
  | { readonly kind: 'try'; readonly of: Expression }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[] }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Expression; readonly right: Expression };

export type Operator = '|' | ',' | '//' | 'and' | 'or' | Comparison;
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** Functions by how many arguments they take. */
export const FUNCTIONS = {
  select: 1,
  map: 1,
  any: 1,
  all: 1,
  has: 1,
  startswith: 1,
  endswith: 1,
  not: 0,
  length: 0,
  keys: 0,
  empty: 0,
  tostring: 0,
  tonumber: 0,
} as const;

export type FunctionName = keyof typeof FUNCTIONS;

/** Weakest first. */
const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  [','],
  ['//'],
  ['or'],
  ['and'],
  ['==', '!=', '<', '<=', '>', '>='],
];

const MAX_DEPTH = 50;
const MAX_LENGTH = 4096;
const TOKEN =
  /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*")|(==|!=|<=|>=|\/\/|[|,.[\]()<>?:;+*/%${}@-])|(\S))/y;

type Token = { readonly type: 'word' | 'number' | 'string' | 'sign'; readonly text: string; readonly at: number };

function tokensOf(text: string): Token[] {
  if (text.length > MAX_LENGTH) throw new JqSyntaxError(`longer than ${MAX_LENGTH} characters`);
  const tokens: Token[] = [];
  const scanner = new RegExp(TOKEN);
  while (scanner.lastIndex < text.trimEnd().length) {
    const at = scanner.lastIndex;
    const match = scanner.exec(text);
    if (match === null) break;
    const [, word, number, quoted, sign, other] = match;
    if (other !== undefined) throw new JqSyntaxError(`unexpected ${JSON.stringify(text.slice(at).trim())}`);
    const found = { word, number, string: quoted, sign };
    for (const [type, value] of Object.entries(found))
      if (value !== undefined) tokens.push({ type: type as Token['type'], text: value, at });
  }
  return tokens;
}

/**
 * Reads a part of jq's language: paths (`.a.b["c"][0].[]?`), `|`, `,`, `//`, `and`, `or`, comparisons, texts, numbers and
 * some functions. @throws JqSyntaxError for all else
 */
export function parseJq(text: string): Expression {
  const parser = new Parser(text, tokensOf(text));
  return parser.whole();
}

class Parser {
  private next = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly tokens: readonly Token[],
  ) {}

  whole(): Expression {
    const found = this.level(0);
    return this.next < this.tokens.length ? this.refuse() : found;
  }

  private refuse(): never {
    const token = this.tokens[this.next];
    const rest = token === undefined ? 'its end' : JSON.stringify(this.text.slice(token.at).trim());
    throw new JqSyntaxError(`unexpected ${rest}`);
  }

  private take(text: string): boolean {
    const token = this.tokens[this.next];
    if (token === undefined || token.type === 'string' || token.text !== text) return false;
    this.next++;
    return true;
  }

  private want(text: string): void {
    if (!this.take(text)) this.refuse();
  }

  private level(n: number): Expression {
    const operators = LEVELS[n];
    if (operators === undefined) return this.postfix();
    if (n === 0 && ++this.depth > MAX_DEPTH) throw new JqSyntaxError('nested too deep');
    let left = this.level(n + 1);
    for (;;) {
      const operator = operators.find(each => this.take(each)) as Operator | undefined;
      if (operator === undefined) break;
      left = { kind: 'binary', operator, left, right: this.level(n + 1) };
    }
    if (n === 0) this.depth--;
    return left;
  }

  private postfix(): Expression {
    let found = this.primary();
    for (;;) {
      if (this.take('.')) {
        if (this.take('[')) found = this.brackets(found);
        else found = { kind: 'field', of: found, name: this.name() };
      } else if (this.take('[')) found = this.brackets(found);
      else if (this.take('?')) found = { kind: 'try', of: found };
      else return found;
    }
  }

  private primary(): Expression {
    if (this.take('(')) {
      const found = this.level(0);
      this.want(')');
      return found;
    }
    if (this.take('.')) {
      const token = this.tokens[this.next];
      const named = token?.type === 'word' || token?.type === 'string';
      return named ? { kind: 'field', of: { kind: 'identity' }, name: this.name() } : { kind: 'identity' };
    }
    const token = this.tokens[this.next++];
    if (token?.type === 'string') return { kind: 'literal', value: textOf(token) };
    if (token?.type === 'number') return { kind: 'literal', value: Number(token.text) };
    if (token?.type === 'word') return this.call(token.text);
    this.next--;
    return this.refuse();
  }

  private call(name: string): Expression {
    const constant = CONSTANTS.get(name);
    if (constant !== undefined) return { kind: 'literal', value: constant.value };
    if (!Object.hasOwn(FUNCTIONS, name)) {
      const known = Object.keys(FUNCTIONS).join(', ');
      throw new JqSyntaxError(`the function ${JSON.stringify(name)} is not supported, only ${known}`);
    }
    const known = name as FunctionName;
    if (FUNCTIONS[known] === 0) return { kind: 'call', name: known, args: [] };
    this.want('(');
    const argument = this.level(0);
    this.want(')');
    return { kind: 'call', name: known, args: [argument] };
  }

  private brackets(of: Expression): Expression {
    if (this.take(']')) return { kind: 'each', of };
    const token = this.tokens[this.next++];
    this.want(']');
    if (token?.type === 'string') return { kind: 'field', of, name: textOf(token) };
    if (token?.type === 'number') return { kind: 'field', of, name: Number(token.text) };
    this.next -= 2;
    return this.refuse();
  }

  private name(): string {
    const token = this.tokens[this.next];
    if (token?.type !== 'word' && token?.type !== 'string') return this.refuse();
    this.next++;
    return token.type === 'word' ? token.text : textOf(token);
  }
}

const CONSTANTS: ReadonlyMap<string, { readonly value: boolean | null }> = new Map([
  ['true', { value: true }],
  ['false', { value: false }],
  ['null', { value: null }],
]);

function textOf({ text }: Token): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new JqSyntaxError(`${text} is no text`);
  }
}
