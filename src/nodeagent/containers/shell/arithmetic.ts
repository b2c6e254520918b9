import { ShellSyntaxError } from './lexer.js';

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
];
const ASSIGN = ['=', '+=', '-=', '*=', '/=', '%='];

const apply = (op: string, a: number, b: number): number => {
  switch (op) {
    case '||':
      return a !== 0 || b !== 0 ? 1 : 0;
    case '&&':
      return a !== 0 && b !== 0 ? 1 : 0;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&':
      return a & b;
    case '==':
      return a === b ? 1 : 0;
    case '!=':
      return a !== b ? 1 : 0;
    case '<=':
      return a <= b ? 1 : 0;
    case '>=':
      return a >= b ? 1 : 0;
    case '<':
      return a < b ? 1 : 0;
    case '>':
      return a > b ? 1 : 0;
    case '<<':
      return a * 2 ** b;
    case '>>':
      return Math.floor(a / 2 ** b);
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
    case '%':
      if (b === 0) throw new ShellSyntaxError('divide by zero');
      return op === '/' ? Math.trunc(a / b) : a % b;
    default:
      throw new ShellSyntaxError('arithmetic syntax error');
  }
};

/**
 * Evaluates $((expression)): integers, variables by bare name, the C operators, assignment, ?:.
 * @throws ShellSyntaxError
 */
export function evaluateArithmetic(
  source: string,
  variables: { get(name: string): string | undefined; set(name: string, value: string): void },
): number {
  const tokens =
    source.match(/0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<|>>|[<>=!+\-*/%]=|&&|\|\||\+\+|--|[-+*/%<>=!~&|^()?:]/g) ?? [];
  if (tokens.join('').length !== source.replace(/\s/g, '').length)
    throw new ShellSyntaxError('arithmetic syntax error');
  let at = 0;
  const take = (...wanted: readonly string[]): string | undefined => {
    const token = tokens[at];
    if (token === undefined || !wanted.includes(token)) return undefined;
    at++;
    return token;
  };
  const variable = (name: string): number => {
    const text = variables.get(name) ?? '0';
    const value = Number(text === '' ? '0' : text);
    if (!Number.isInteger(value)) throw new ShellSyntaxError('arithmetic syntax error');
    return value;
  };
  const store = (name: string, value: number): number => {
    variables.set(name, String(value));
    return value;
  };

  const assignment = (): number => {
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
    return condition !== 0 ? yes : no;
  };
  const binary = (level: number): number => {
    const ops = BINARY[level];
    if (ops === undefined) return unary();
    let left = binary(level + 1);
    for (let op = take(...ops); op !== undefined; op = take(...ops)) left = apply(op, left, binary(level + 1));
    return left;
  };
  const unary = (): number => {
    const op = take('-', '+', '!', '~', '++', '--');
    if (op === undefined) return primary();
    if (op === '++' || op === '--') {
      const name = tokens[at++] ?? '';
      return store(name, variable(name) + (op === '++' ? 1 : -1));
    }
    const value = unary();
    if (op === '-') return -value;
    if (op === '!') return value === 0 ? 1 : 0;
    return op === '~' ? ~value : value;
  };
  const primary = (): number => {
    if (take('(') !== undefined) {
      const value = assignment();
      if (take(')') === undefined) throw new ShellSyntaxError('arithmetic syntax error');
      return value;
    }
    const token = tokens[at++];
    if (token === undefined) throw new ShellSyntaxError('arithmetic syntax error');
    if (/^\d/.test(token)) return /^0\d/.test(token) ? parseInt(token, 8) : Number(token);
    if (!/^[A-Za-z_]/.test(token)) throw new ShellSyntaxError('arithmetic syntax error');
    const value = variable(token);
    const post = take('++', '--');
    if (post !== undefined) store(token, value + (post === '++' ? 1 : -1));
    return value;
  };

  if (tokens.length === 0) return 0;
  const value = assignment();
  if (at !== tokens.length) throw new ShellSyntaxError('arithmetic syntax error');
  return value;
}
