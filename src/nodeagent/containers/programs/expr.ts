import type { Program } from '../process.js';
import { regexSource } from './regex.js';

class ExprError extends Error {}

const isInteger = (text: string): boolean => /^-?\d+$/.test(text);
const truth = (value: boolean): string => (value ? '1' : '0');
const isNull = (text: string): boolean => text === '' || text === '0';

function integers(left: string, right: string): [bigint, bigint] {
  if (!isInteger(left) || !isInteger(right)) throw new ExprError('non-integer argument');
  return [BigInt(left), BigInt(right)];
}

function compare(left: string, right: string): number {
  if (!isInteger(left) || !isInteger(right)) return left < right ? -1 : left > right ? 1 : 0;
  const [a, b] = integers(left, right);
  return a < b ? -1 : a > b ? 1 : 0;
}

function calculate(left: string, operator: string, right: string): string {
  const [a, b] = integers(left, right);
  if ((operator === '/' || operator === '%') && b === 0n) throw new ExprError('division by zero');
  const results: Record<string, () => bigint> = {
    '+': () => a + b,
    '-': () => a - b,
    '*': () => a * b,
    '/': () => a / b,
    '%': () => a % b,
  };
  return String(results[operator]?.() ?? 0n);
}

/** The group's text, or how much matched, from the start of the text. */
function match(text: string, pattern: string): string {
  const found = new RegExp(`^(?:${regexSource(pattern, false)})`).exec(text);
  if (pattern.includes('\\(')) return found?.[1] ?? '';
  return String(found?.[0].length ?? 0);
}

type Operation = (left: string, operator: string, right: string) => string;

/** Binary operators by precedence, the weakest first (POSIX expr). */
const LEVELS: readonly { readonly operators: readonly string[]; readonly apply: Operation }[] = [
  { operators: ['|'], apply: (left, _, right) => (isNull(left) ? (isNull(right) ? '0' : right) : left) },
  { operators: ['&'], apply: (left, _, right) => (isNull(left) || isNull(right) ? '0' : left) },
  {
    operators: ['=', '==', '!=', '<', '<=', '>', '>='],
    apply(left, operator, right) {
      const order = compare(left, right);
      const holds = { '=': order === 0, '==': order === 0, '!=': order !== 0, '<': order < 0, '<=': order <= 0 };
      return truth(holds[operator as keyof typeof holds] ?? (operator === '>' ? order > 0 : order >= 0));
    },
  },
  { operators: ['+', '-'], apply: calculate },
  { operators: ['*', '/', '%'], apply: calculate },
  { operators: [':'], apply: (left, _, right) => match(left, right) },
];

function evaluate(words: readonly string[]): string {
  let at = 0;
  const next = (): string => {
    const word = words[at++];
    if (word === undefined) throw new ExprError('syntax error');
    return word;
  };
  const primary = (): string => {
    const word = next();
    if (word === '(') {
      const value = level(0);
      if (next() !== ')') throw new ExprError('syntax error');
      return value;
    }
    if (words[at] === undefined) return word;
    if (word === 'length') return String(primary().length);
    if (word === 'match') return match(primary(), primary());
    if (word === 'index') {
      const [text, characters] = [primary(), primary()];
      return String([...text].findIndex(character => characters.includes(character)) + 1);
    }
    if (word === 'substr') {
      const [text, start, length] = [primary(), Number(primary()), Number(primary())];
      return start < 1 || length < 1 ? '' : text.slice(start - 1, start - 1 + length);
    }
    return word;
  };
  const level = (index: number): string => {
    const here = LEVELS[index];
    if (here === undefined) return primary();
    let value = level(index + 1);
    for (let operator = words[at]; operator !== undefined && here.operators.includes(operator); operator = words[at]) {
      at++;
      value = here.apply(value, operator, level(index + 1));
    }
    return value;
  };
  const value = level(0);
  if (at < words.length) throw new ExprError('syntax error');
  return value;
}

/** Prints the value of an expression; 1 when it is empty or 0, 2 when it is none. */
export const expr: Program = async ({ args, stdout, stderr }) => {
  try {
    const value = evaluate(args.slice(1));
    await stdout.write(`${value}\n`);
    return isNull(value) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ExprError || error instanceof SyntaxError)) throw error;
    await stderr.write(`expr: ${error instanceof ExprError ? error.message : 'bad regex'}\n`);
    return 2;
  }
};
