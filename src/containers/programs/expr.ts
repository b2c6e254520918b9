import type { Program } from '../process.js';
import { compileRegex, RegexError, type Turn } from '../../machinery/regex/regex.js';

class ExprError extends Error {}

const isInteger = (text: string): boolean => text.length < MAX_DIGITS && /^-?\d+$/.test(text);
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
  return String(BigInt.asIntN(64, results[operator]?.() ?? 0n));
}

/** The group's text, or how much matched, from the start of the text. */
async function match(text: string, pattern: string, turn: Turn): Promise<string> {
  const regex = compileRegex(pattern.replace(/^\^/, ''), { extended: false }, turn);
  const found = await regex.exec(text);
  const matched = found?.start === 0 ? found : undefined;
  if (regex.groups === 0) return String(matched === undefined ? 0 : matched.end);
  const [start = -1, end = -1] = [matched?.groups[2], matched?.groups[3]];
  return start < 0 ? '' : text.slice(start, end);
}

type Operation = (left: string, operator: string, right: string, turn: Turn) => string | Promise<string>;

const MAX_DEPTH = 200;
const MAX_DIGITS = 1000;

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
  { operators: [':'], apply: (left, _, right, turn) => match(left, right, turn) },
];

async function evaluate(words: readonly string[], turn: Turn): Promise<string> {
  let at = 0;
  let depth = 0;
  const next = (): string => {
    const word = words[at++];
    if (word === undefined) throw new ExprError('syntax error');
    return word;
  };
  const primary = async (): Promise<string> => {
    if (++depth > MAX_DEPTH) throw new ExprError('expression nested too deeply');
    const value = await primaryHere();
    depth--;
    return value;
  };
  const primaryHere = async (): Promise<string> => {
    const word = next();
    if (word === '(') {
      const value = await level(0);
      if (next() !== ')') throw new ExprError('syntax error');
      return value;
    }
    if (words[at] === undefined) return word;
    if (word === 'length') return String((await primary()).length);
    if (word === 'match') return match(await primary(), await primary(), turn);
    if (word === 'index') {
      const [text, characters] = [await primary(), await primary()];
      return String([...text].findIndex(character => characters.includes(character)) + 1);
    }
    if (word === 'substr') {
      const [text, start, length] = [await primary(), Number(await primary()), Number(await primary())];
      return start < 1 || length < 1 ? '' : text.slice(start - 1, start - 1 + length);
    }
    return word;
  };
  const level = async (index: number): Promise<string> => {
    const here = LEVELS[index];
    if (here === undefined) return primary();
    let value = await level(index + 1);
    for (let operator = words[at]; operator !== undefined && here.operators.includes(operator); operator = words[at]) {
      at++;
      value = await here.apply(value, operator, await level(index + 1), turn);
      await turn();
    }
    return value;
  };
  const value = await level(0);
  if (at < words.length) throw new ExprError('syntax error');
  return value;
}

/** Prints the value of an expression; 1 when it is empty or 0, 2 when it is none. */
export const expr: Program = async ({ args, stdout, stderr, turn }) => {
  try {
    const value = await evaluate(args.slice(1), turn);
    await stdout.write(`${value}\n`);
    return isNull(value) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ExprError || error instanceof RegexError)) throw error;
    await stderr.write(`expr: ${error instanceof ExprError ? error.message : 'bad regex'}\n`);
    return 2;
  }
};
