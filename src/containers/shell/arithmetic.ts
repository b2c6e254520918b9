import { ShellSyntaxError } from './syntax-error.js';

const BINARY: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
  ['**'],
];
const ASSIGN = ['=', '+=', '-=', '*=', '/=', '%=', '<<=', '>>=', '&=', '|=', '^='];

/** As C's long: results wrap at 64 bits. */
const long = (value: bigint): bigint => BigInt.asIntN(64, value);
const truth = (value: boolean): bigint => (value ? 1n : 0n);

const apply = (op: string, a: bigint, b: bigint): bigint => {
  switch (op) {
    case '||':
      return truth(a !== 0n || b !== 0n);
    case '&&':
      return truth(a !== 0n && b !== 0n);
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&':
      return a & b;
    case '==':
      return truth(a === b);
    case '!=':
      return truth(a !== b);
    case '<=':
      return truth(a <= b);
    case '>=':
      return truth(a >= b);
    case '<':
      return truth(a < b);
    case '>':
      return truth(a > b);
    case '<<':
      return long(a << (b & 63n));
    case '>>':
      return a >> (b & 63n);
    case '+':
      return long(a + b);
    case '-':
      return long(a - b);
    case '*':
      return long(a * b);
    case '**': {
      if (b < 0n) throw new ShellSyntaxError('exponent less than 0');
      let result = 1n;
      for (let base = a, left = BigInt.asUintN(64, b); left > 0n; left >>= 1n, base = long(base * base))
        if ((left & 1n) === 1n) result = long(result * base);
      return result;
    }
    case '/':
    case '%':
      if (b === 0n) throw new ShellSyntaxError('divide by zero');
      return long(op === '/' ? a / b : a % b);
    default:
      throw new ShellSyntaxError('arithmetic syntax error');
  }
};

const MAX_DEPTH = 200;
const MAX_LENGTH = 64 * 1024;

/**
 * Evaluates $((expression)): integers, variables by bare name, the C operators, assignment, ?:.
 * @throws ShellSyntaxError
 */
export function evaluateArithmetic(
  source: string,
  variables: { get(name: string): string | undefined; set(name: string, value: string): void },
): bigint {
  if (source.length > MAX_LENGTH) throw new ShellSyntaxError('arithmetic expression too long');
  const tokens: string[] = [];
  const token =
    /\s*(?:(0[xX][0-9a-fA-F]+|\d+(?:#\w+)?|[A-Za-z_]\w*|<<=|>>=|<<|>>|[<>=!+\-*/%&|^]=|&&|\|\||\+\+|--|\*\*|[-+*/%<>=!~&|^()?:,])|$)/y;
  while (token.lastIndex < source.length) {
    const found = token.exec(source);
    if (found === null) throw new ShellSyntaxError('arithmetic syntax error');
    if (found[1] !== undefined) tokens.push(found[1]);
  }
  let at = 0;
  const take = (...wanted: readonly string[]): string | undefined => {
    const token = tokens[at];
    if (token === undefined || !wanted.includes(token)) return undefined;
    at++;
    return token;
  };
  let depth = 0;
  const variable = (name: string): bigint => {
    const text = (variables.get(name) ?? '').trim();
    if (text === '') return 0n;
    if (/^[-+]?\w+$/.test(text) && text.length < 70) {
      const negative = text.startsWith('-');
      const digits = text.replace(/^[-+]/, '');
      if (/^\d/.test(digits)) return negative ? -number(digits) : number(digits);
    }
    throw new ShellSyntaxError('arithmetic syntax error');
  };
  const number = (text: string): bigint => {
    const [, base, digits = ''] = /^(\d+)#(\w+)$/.exec(text) ?? [];
    if (base !== undefined) {
      const value = parseInt(digits, Math.min(36, Math.max(2, Number(base))));
      if (Number.isNaN(value)) throw new ShellSyntaxError('arithmetic syntax error');
      return BigInt(value);
    }
    if (/^0[0-7]+$/.test(text)) return long(BigInt(`0o${text.slice(1)}`));
    if (!/^(?:0[xX][0-9a-fA-F]+|\d+)$/.test(text)) throw new ShellSyntaxError('arithmetic syntax error');
    return long(BigInt(text));
  };
  const store = (name: string, value: bigint): bigint => {
    variables.set(name, String(value));
    return value;
  };

  const assignment = (): bigint => {
    if (++depth > MAX_DEPTH) throw new ShellSyntaxError('arithmetic expression nested too deeply');
    try {
      return assignmentHere();
    } finally {
      depth--;
    }
  };
  const assignmentHere = (): bigint => {
    const name = tokens[at];
    const op = tokens[at + 1];
    if (name !== undefined && /^[A-Za-z_]/.test(name) && op !== undefined && ASSIGN.includes(op)) {
      at += 2;
      const value = assignment();
      return store(name, op === '=' ? value : apply(op.slice(0, -1), variable(name), value));
    }
    const condition = binary(0);
    if (take('?') === undefined) return condition;
    const yes = assignment();
    if (take(':') === undefined) throw new ShellSyntaxError('arithmetic syntax error');
    const no = assignment();
    return condition !== 0n ? yes : no;
  };
  const binary = (level: number): bigint => {
    const ops = BINARY[level];
    if (ops === undefined) return unary();
    let left = binary(level + 1);
    for (let op = take(...ops); op !== undefined; op = take(...ops)) left = apply(op, left, binary(level + 1));
    return left;
  };
  const unary = (): bigint => {
    if (++depth > MAX_DEPTH) throw new ShellSyntaxError('arithmetic expression nested too deeply');
    try {
      return unaryHere();
    } finally {
      depth--;
    }
  };
  const unaryHere = (): bigint => {
    const op = take('-', '+', '!', '~', '++', '--');
    if (op === undefined) return primary();
    if (op === '++' || op === '--') {
      const name = tokens[at++] ?? '';
      return store(name, long(variable(name) + (op === '++' ? 1n : -1n)));
    }
    const value = unary();
    if (op === '-') return long(-value);
    if (op === '!') return truth(value === 0n);
    return op === '~' ? ~value : value;
  };
  const primary = (): bigint => {
    if (take('(') !== undefined) {
      const value = sequence();
      if (take(')') === undefined) throw new ShellSyntaxError('arithmetic syntax error');
      return value;
    }
    const token = tokens[at++];
    if (token === undefined) throw new ShellSyntaxError('arithmetic syntax error');
    if (/^\d/.test(token)) return number(token);
    if (!/^[A-Za-z_]/.test(token)) throw new ShellSyntaxError('arithmetic syntax error');
    const value = variable(token);
    const post = take('++', '--');
    if (post !== undefined) store(token, long(value + (post === '++' ? 1n : -1n)));
    return value;
  };

  const sequence = (): bigint => {
    let value = assignment();
    while (take(',') !== undefined) value = assignment();
    return value;
  };
  if (tokens.length === 0) return 0n;
  const value = sequence();
  if (at !== tokens.length) throw new ShellSyntaxError('arithmetic syntax error');
  return value;
}
