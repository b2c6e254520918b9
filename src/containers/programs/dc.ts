import type { Program } from '../process.js';
import {
  add,
  decimal,
  DecimalError,
  divide,
  formatDecimal,
  multiply,
  parseDecimal,
  power,
  remainder,
  squareRoot,
  type Decimal,
} from './decimal.js';
import { fromBytes, holdAll } from './lines.js';
import { parseOptions } from './options.js';

const WORDS: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', div: '/', exp: '^', mod: '%' };

/** dc [-e EXPRESSION]... [WORD...]: reverse Polish, + - * / % ^ v p n f c d r k K i I o O z s l q. */
export const dc: Program = async process => {
  const { operands, all } = parseOptions(process.args.slice(1), { short: 'e:f:x', stopAtOperand: true });
  const given = [...all('e'), ...operands.map(word => WORDS[word] ?? word)].join(' ');
  const source = given === '' ? fromBytes(await holdAll(process, process.stdin)) : given;
  const stack: Decimal[] = [];
  const registers = new Map<string, Decimal>();
  let [scale, input, output] = [0, 10, 10];
  const pop = (): Decimal => {
    const value = stack.pop();
    if (value === undefined) throw new DecimalError('stack has too few elements');
    return value;
  };
  const binary = (work: (a: Decimal, b: Decimal) => Decimal): void => {
    const [b, a] = [pop(), pop()];
    stack.push(work(a, b));
  };
  const whole = (value: Decimal): number => Number(value.digits / 10n ** BigInt(value.scale));
  const number = /_?(?:[0-9A-F]+\.?[0-9A-F]*|\.[0-9A-F]+)/y;
  try {
    for (let at = 0, steps = 0; at < source.length; steps++) {
      if (steps % 256 === 0) await process.turn();
      number.lastIndex = at;
      const digits = number.exec(source)?.[0];
      if (digits !== undefined) {
        stack.push(parseDecimal(digits.replace('_', '-'), input));
        process.memory.add(digits.length + 48);
        at += digits.length;
        continue;
      }
      const c = source[at++] ?? '';
      switch (c) {
        case '+':
          binary((a, b) => add(a, b));
          break;
        case '-':
          binary((a, b) => add(a, b, -1n));
          break;
        case '*':
          binary((a, b) => multiply(a, b, scale));
          break;
        case '/':
          binary((a, b) => divide(a, b, scale));
          break;
        case '%':
          binary((a, b) => remainder(a, b, scale));
          break;
        case '^':
          binary((a, b) => power(a, b, scale));
          break;
        case 'v':
          stack.push(squareRoot(pop(), scale));
          break;
        case 'p':
        case 'n': {
          const top = pop();
          await process.stdout.write(formatDecimal(top, output) + (c === 'p' ? '\n' : ''));
          if (c === 'p') stack.push(top);
          break;
        }
        case 'f':
          for (const value of [...stack].reverse()) await process.stdout.write(`${formatDecimal(value, output)}\n`);
          break;
        case 'c':
          stack.length = 0;
          break;
        case 'd': {
          const top = pop();
          stack.push(top, top);
          break;
        }
        case 'r': {
          const [b, a] = [pop(), pop()];
          stack.push(b, a);
          break;
        }
        case 'k':
          scale = Math.min(1000, whole(pop()));
          break;
        case 'i':
          input = Math.min(16, Math.max(2, whole(pop())));
          break;
        case 'o':
          output = Math.min(36, Math.max(2, whole(pop())));
          break;
        case 'K':
          stack.push(decimal(scale));
          break;
        case 'I':
          stack.push(decimal(input));
          break;
        case 'O':
          stack.push(decimal(output));
          break;
        case 'z':
          stack.push(decimal(stack.length));
          break;
        case 's':
          registers.set(source[at++] ?? '', pop());
          break;
        case 'l':
          stack.push(registers.get(source[at++] ?? '') ?? decimal(0));
          break;
        case 'q':
          return 0;
        case ' ':
        case '\n':
        case '\t':
          break;
        default:
          throw new DecimalError(`not simulated here: command '${c}'`);
      }
    }
    return 0;
  } catch (error) {
    if (!(error instanceof DecimalError)) throw error;
    await process.stderr.write(`dc: ${error.message}\n`);
    return 1;
  }
};
