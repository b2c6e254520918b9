import { quote } from '../../go-text.js';

/** What stands between the texts of a format: "%.3f". */
export interface Clause {
  readonly verb: string;
  /** undefined: none was given. */
  readonly precision: number | undefined;
  /** Of the argument. */
  readonly index: number;
}

/** Why a format cannot be used. */
export interface FormatProblem {
  readonly problem: string;
}

export const isProblem = (part: object): part is FormatProblem => 'problem' in part;

const VERBS = new Set(['s', 'd', 'f', 'e', 'b', 'x', 'X', 'o']);
const PERCENT = '%';
const MAX_INT64 = 2n ** 63n - 1n;

const unparsed = (problem: string): FormatProblem => ({ problem: `could not parse formatting clause: ${problem}` });

/** The texts and clauses of a format, one by one, up to the first that is wrong. Source: cel-go ext/formatting.go. */
export function* partsOf(
  format: string,
  args: number,
  isRunning: boolean,
): Generator<string | Clause | FormatProblem, void, void> {
  let index = 0;
  for (let at = 0; at < format.length;) {
    const next = format.indexOf(PERCENT, at);
    if (next < 0) return yield format.slice(at);
    if (next > at) yield format.slice(at, next);
    if (format[next + 1] === PERCENT) {
      yield PERCENT;
      at = next + 2;
      continue;
    }
    const outOfRange = index >= args ? { problem: `index ${index} out of range` } : undefined;
    // A check on write looks for the argument last.
    if (isRunning && outOfRange !== undefined) return yield outOfRange;
    if (next + 1 === format.length) return yield { problem: 'unexpected end of string' };
    if (outOfRange !== undefined) return yield outOfRange;
    const precision = precisionAt(format, next + 1);
    if ('problem' in precision) return yield unparsed(`error while parsing precision: ${precision.problem}`);
    const verb = format[precision.end] ?? '';
    if (!VERBS.has(verb)) return yield unparsed(`unrecognized formatting clause "${firstByte(verb)}"`);
    yield { verb, precision: precision.value, index };
    index++;
    at = precision.end + 1;
  }
}

function precisionAt(
  format: string,
  at: number,
): { readonly value: number | undefined; readonly end: number } | FormatProblem {
  if (format[at] !== '.') return { value: undefined, end: at };
  let end = at + 1;
  while (format.charAt(end) >= '0' && format.charAt(end) <= '9') end++;
  if (end === format.length) return { problem: 'could not find end of precision specifier' };
  const digits = format.slice(at + 1, end);
  const failed = (why: string): FormatProblem => ({
    problem: `error while converting precision to integer: strconv.Atoi: parsing ${quote(digits)}: ${why}`,
  });
  if (digits === '') return failed('invalid syntax');
  const significant = digits.replace(/^0+/, '');
  // A number of so many digits is not read at all.
  if (significant.length > 19 || BigInt(significant || 0) > MAX_INT64) return failed('value out of range');
  return { value: Number(significant || 0), end };
}

/** Upstream takes a byte for a character. */
function firstByte(char: string): string {
  return char < '\x80' ? char : String.fromCharCode(Buffer.from(char)[0] ?? 0);
}
