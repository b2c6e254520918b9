import { seededRandom } from '../../../machinery/random.js';
import { formatText } from '../format.js';
import { formatTime } from '../times.js';
import { AwkError, type Expression, type LValue } from './syntax.js';
import { paced } from '../../paced.js';
import { mapPieces, TextBuilder } from '../text-builder.js';
import { LONG_TEXT } from './fields.js';
import { AwkArray, fromOutside, isTrue, toNumber, type Value } from './values.js';
import { splitText } from './current-record.js';
import { then, type Maybe } from './maybe.js';
import { closeNamed, flush, runSystem } from './outputs.js';
import { pay, textOf, type Awk } from './state.js';
import { patternOf, writeTarget } from './targets.js';
import { arrayOf, getVariable, setVariable } from './variables.js';

const isLValue = (node: Expression): node is LValue =>
  node.kind === 'variable' || node.kind === 'element' || node.kind === 'field';
const RECORD: LValue = { kind: 'field', index: { kind: 'number', value: 0 } };

/** For srand: the same seed gives the same numbers. */
function generator(seed: number): () => number {
  const random = seededRandom(Math.trunc(seed) ^ 0x9e3779b9);
  return () => random.number();
}

/** Replaces matches in a target. `nth` 0: all. Resolves with how many, and the text. */
async function substitute(
  awk: Awk,
  pattern: Expression,
  made: string,
  text: string,
  nth: number,
): Promise<{ count: number; result: string }> {
  const regex = await patternOf(awk, pattern);
  const parts = new TextBuilder();
  let [done, seen, count, size] = [0, 0, 0, 0];
  for (let from = 0; from <= text.length;) {
    const found = regex.exec(text, from);
    const match = found instanceof Promise ? await found : found;
    if (match === undefined) break;
    if (match.end === match.start && match.start === done && count > 0 && seen > 0) {
      from = match.start + 1;
      continue;
    }
    if (++seen === nth || nth === 0) {
      const replacement = made.replace(/\\(\\|&|[0-9])|&/g, (whole, escaped?: string) => {
        if (escaped === undefined) return text.slice(match.start, match.end);
        return escaped === '&' || escaped === '\\' ? escaped : whole;
      });
      size += replacement.length;
      pay(awk, size);
      parts.push(text.slice(done, match.start), replacement);
      done = match.end;
      count++;
      if (nth !== 0) break;
    }
    from = match.end > match.start ? match.end : match.end + 1;
    if (seen % 64 === 0) await awk.process.turn();
  }
  parts.push(text.slice(done));
  return { count, result: parts.text() };
}

/** Changes a text, at once where it is short. */
const inPieces = (awk: Awk, text: string, change: (piece: string) => string): Maybe<string> =>
  text.length < LONG_TEXT ? change(text) : paced(mapPieces(text, change), awk.process.turn);

/** Calls a function that awk has built in. */
export function callBuiltin(awk: Awk, name: string, args: readonly Expression[]): Maybe<Value> {
  const value = (i: number): Maybe<Value> => {
    const arg = args[i];
    return arg === undefined ? undefined : awk.evaluate(arg);
  };
  const number = (i: number): Maybe<number> => then(value(i), toNumber);
  const text = (i: number): Maybe<string> => then(value(i), v => textOf(awk, v));
  const math = (work: (x: number) => number): Maybe<Value> => then(number(0), work);
  const bits = (work: (a: bigint, b: bigint) => bigint): Maybe<Value> =>
    then(number(0), a =>
      then(number(1), b => Number(BigInt.asUintN(53, work(BigInt(Math.trunc(a)), BigInt(Math.trunc(b)))))),
    );
  switch (name) {
    case 'length': {
      const [arg] = args;
      if (arg?.kind === 'variable') {
        const held = awk.globals.get(arg.name);
        if (held instanceof AwkArray && held.used) return held.size;
        return lengthOf(awk, arg.name);
      }
      return then(arg === undefined ? awk.evaluate(RECORD) : value(0), v => textOf(awk, v).length);
    }
    case 'substr':
      return then(text(0), s =>
        then(number(1), from =>
          then(args[2] === undefined ? Infinity : number(2), length => {
            // As BusyBox: what begins before the text has its whole length.
            const start = Math.max(0, Math.trunc(from) - 1);
            return s.slice(start, start + Math.max(0, Math.trunc(length === Infinity ? s.length : length)));
          }),
        ),
      );
    case 'index':
      return then(text(0), s => then(text(1), wanted => s.indexOf(wanted) + 1));
    case 'tolower':
      return then(text(0), s => inPieces(awk, s, piece => piece.replace(/[A-Z]+/g, part => part.toLowerCase())));
    case 'toupper':
      return then(text(0), s => inPieces(awk, s, piece => piece.replace(/[a-z]+/g, part => part.toUpperCase())));
    case 'int':
      return math(Math.trunc);
    case 'sqrt':
      return math(Math.sqrt);
    case 'exp':
      return math(Math.exp);
    case 'log':
      return math(Math.log);
    case 'sin':
      return math(Math.sin);
    case 'cos':
      return math(Math.cos);
    case 'atan2':
      return then(number(0), y => then(number(1), x => Math.atan2(y, x)));
    case 'and':
      return bits((a, b) => a & b);
    case 'or':
      return bits((a, b) => a | b);
    case 'xor':
      return bits((a, b) => a ^ b);
    case 'lshift':
      return bits((a, b) => a << (b & 63n));
    case 'rshift':
      return bits((a, b) => a >> (b & 63n));
    case 'compl':
      return bits(a => ~a);
    case 'rand':
      return awk.random();
    case 'srand': {
      const old = awk.seed;
      return then(args[0] === undefined ? Math.floor(awk.process.container.clock.now() / 1000) : number(0), seed => {
        awk.seed = seed;
        awk.random = generator(seed);
        return old;
      });
    }
    case 'systime':
      return Math.floor(awk.process.container.clock.now() / 1000);
    case 'strftime':
      return then(args[0] === undefined ? '%a %b %e %H:%M:%S UTC %Y' : text(0), format =>
        then(args[1] === undefined ? Math.floor(awk.process.container.clock.now() / 1000) : number(1), seconds =>
          formatTime(format, seconds * 1000),
        ),
      );
    case 'mktime':
      return then(text(0), s => {
        const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = s.split(/\s+/).map(Number);
        return Math.floor(Date.UTC(year, month - 1, day, hour, minute, second) / 1000);
      });
    case 'sprintf':
      return sprintf(awk, args);
    case 'split':
      return splitInto(awk, args);
    case 'match':
      return then(text(0), s => {
        const [, pattern] = args;
        if (pattern === undefined) throw new AwkError('match: too few arguments');
        return then(patternOf(awk, pattern), regex =>
          then(regex.exec(s), found => {
            setVariable(awk, 'RSTART', found === undefined ? 0 : found.start + 1);
            setVariable(awk, 'RLENGTH', found === undefined ? -1 : found.end - found.start);
            return found === undefined ? 0 : found.start + 1;
          }),
        );
      });
    case 'sub':
    case 'gsub':
      return substituteIn(awk, args, name === 'sub' ? 1 : 0);
    case 'gensub':
      return gensub(awk, args);
    case 'system':
      return then(text(0), command => runSystem(awk, command));
    case 'close':
      return then(text(0), target => closeNamed(awk, target));
    case 'fflush':
      return then(flush(awk), () => 0);
    default:
      throw new AwkError(`undefined function ${name}`);
  }
}

function lengthOf(awk: Awk, name: string): Maybe<Value> {
  try {
    return then(getVariable(awk, name), v => textOf(awk, v).length);
  } catch (error) {
    // A parameter that is an array has a length, too.
    if (!(error instanceof AwkError)) throw error;
    return arrayOf(awk, name).size;
  }
}

async function sprintf(awk: Awk, args: readonly Expression[]): Promise<Value> {
  const values: Value[] = [];
  for (const arg of args) values.push(await awk.evaluate(arg));
  const [format, ...rest] = values;
  let next = 0;
  const take = (): Value => rest[next++];
  const { text } = formatText(
    textOf(awk, format),
    {
      string() {
        return textOf(awk, take());
      },
      character() {
        const value = take();
        return typeof value === 'number' ? String.fromCharCode(value & 255) : textOf(awk, value).slice(0, 1);
      },
      number: () => toNumber(take()),
      integer() {
        const value = Math.trunc(toNumber(take()));
        return Number.isFinite(value) ? BigInt(value) : 0n;
      },
    },
    false,
  );
  pay(awk, text.length);
  return text;
}

async function splitInto(awk: Awk, [source, target, separator]: readonly Expression[]): Promise<Value> {
  if (source === undefined || target?.kind !== 'variable') throw new AwkError('split: bad arguments');
  const text = textOf(awk, await awk.evaluate(source));
  const by =
    separator === undefined
      ? textOf(awk, await getVariable(awk, 'FS'))
      : separator.kind === 'regex'
        ? separator.source
        : textOf(awk, await awk.evaluate(separator));
  // A regular expression of one blank is that blank, not all blanks.
  const parts = await splitText(awk, text, separator?.kind === 'regex' && by === ' ' ? '[ ]' : by);
  const array = arrayOf(awk, target.name);
  array.clear();
  for (const [i, part] of parts.entries()) array.set(String(i + 1), fromOutside(part));
  return parts.length;
}

async function substituteIn(
  awk: Awk,
  [pattern, replacement, target = RECORD]: readonly Expression[],
  nth: number,
): Promise<Value> {
  if (pattern === undefined || replacement === undefined) throw new AwkError('sub: too few arguments');
  const made = textOf(awk, await awk.evaluate(replacement));
  const place = target.kind === 'group' && target.items[0] !== undefined ? target.items[0] : target;
  const text = textOf(awk, await awk.evaluate(place));
  const { count, result } = await substitute(awk, pattern, made, text, nth);
  if (count > 0 && isLValue(place)) await writeTarget(awk, place, result);
  return count;
}

async function gensub(awk: Awk, [pattern, replacement, how, target]: readonly Expression[]): Promise<Value> {
  if (pattern === undefined || replacement === undefined || how === undefined)
    throw new AwkError('gensub: too few arguments');
  const made = textOf(awk, await awk.evaluate(replacement));
  const which = await awk.evaluate(how);
  const all = /^[gG]/.test(textOf(awk, which));
  const text = textOf(awk, target === undefined ? await awk.evaluate(RECORD) : await awk.evaluate(target));
  return (await substitute(awk, pattern, made, text, all ? 0 : Math.max(1, isTrue(which) ? toNumber(which) : 1)))
    .result;
}
