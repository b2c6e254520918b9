import { trimEnd } from '../../machinery/trim.js';
import { unescapeText } from './escapes.js';

/** What printf and awk's sprintf ask for one conversion. */
export interface Values {
  /** The next argument as a string, a number, an integer. */
  string(): string;
  /** Of %c, where that is not just the first of the string. */
  character?(): string;
  number(): number;
  integer(): bigint;
}

export class FormatError extends Error {
  override readonly name = 'FormatError';
}

const MAX_WIDTH = 65_536;
const CONVERSION = /%([-+ #0]*)(\*|\d{0,9})(?:\.(\*|\d{0,9}))?(?:hh|h|ll|l|L|j|z|t|q)?([a-zA-Z%])/y;

const exponent = (value: number, precision: number, upper: boolean): string => {
  const text = value.toExponential(Math.min(100, precision)).replace(/e([+-])(\d)$/, 'e$10$2');
  return upper ? text.toUpperCase() : text;
};

/** C's %g. */
function general(value: number, given: number | undefined, alternative: boolean, upper: boolean): string {
  const precision = Math.min(100, given === 0 ? 1 : (given ?? 6));
  if (value === 0) return '0';
  const power = Number(value.toExponential(precision - 1).split('e')[1]);
  let text: string;
  if (power < -4 || power >= precision) text = exponent(value, precision - 1, upper);
  else text = value.toFixed(Math.min(100, Math.max(0, precision - 1 - power)));
  if (alternative || !text.includes('.')) return text;
  const [mantissa = '', rest] = text.split(/(?=[eE])/);
  return trimEnd(trimEnd(mantissa, '0'), '.') + (rest ?? '');
}

/**
 * C's printf: every conversion takes from `values`. `escapes`: backslashes in the format are the shell's.
 * @throws FormatError
 */
export function formatText(format: string, values: Values, escapes: boolean): { text: string; stopped: boolean } {
  const parts: string[] = [];
  for (let at = 0; at < format.length;) {
    const percent = format.indexOf('%', at);
    const plain = format.slice(at, percent < 0 ? format.length : percent);
    if (escapes) {
      const end = /(?:^|[^\\])(?:\\\\)*\\c/.exec(plain);
      if (end !== null) {
        parts.push(unescapeText(plain.slice(0, end.index + end[0].length - 2)));
        return { text: parts.join(''), stopped: true };
      }
    }
    parts.push(escapes ? unescapeText(plain) : plain);
    if (percent < 0) break;
    CONVERSION.lastIndex = percent;
    const found = CONVERSION.exec(format);
    if (found === null) throw new FormatError(`${format.slice(percent, percent + 8)}: invalid format`);
    at = CONVERSION.lastIndex;
    const [, flags = '', widthText = '', precisionText, kind = ''] = found;
    if (kind === '%') {
      parts.push('%');
      continue;
    }
    const star = (text: string): number => (text === '*' ? Number(values.integer()) : Number(text));
    let width = star(widthText === '' ? '0' : widthText);
    const left = flags.includes('-') || width < 0;
    width = Math.min(MAX_WIDTH, Math.abs(width));
    const precision =
      precisionText === undefined
        ? undefined
        : Math.min(MAX_WIDTH, Math.max(0, star(precisionText === '' ? '0' : precisionText)));
    const sign = (negative: boolean): string =>
      negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
    let head = '';
    let body = '';
    let zero = flags.includes('0') && !left;
    switch (kind) {
      case 's':
        body = values.string();
        if (precision !== undefined) body = body.slice(0, precision);
        zero = false;
        break;
      case 'c':
        body = values.character?.() ?? values.string().slice(0, 1);
        zero = false;
        break;
      case 'b': {
        const text = values.string();
        const end = text.indexOf('\\c');
        parts.push(unescapeText(end < 0 ? text : text.slice(0, end)));
        if (end >= 0) return { text: parts.join(''), stopped: true };
        continue;
      }
      case 'q':
        body = values.string();
        body = /^[\w@%+=:,./-]+$/.test(body) ? body : `'${body.replaceAll("'", `'\\''`)}'`;
        break;
      case 'd':
      case 'i':
      case 'u':
      case 'o':
      case 'x':
      case 'X': {
        let value = values.integer();
        const signed = kind === 'd' || kind === 'i';
        if (signed) {
          head = sign(value < 0n);
          if (value < 0n) value = -value;
        } else value = BigInt.asUintN(64, value);
        body = value.toString(kind === 'o' ? 8 : kind === 'x' || kind === 'X' ? 16 : 10);
        if (kind === 'X') body = body.toUpperCase();
        if (flags.includes('#') && value !== 0n)
          head += kind === 'o' ? '0' : kind === 'x' || kind === 'X' ? `0${kind}` : '';
        if (precision !== undefined) {
          body = body.padStart(precision, '0');
          zero = false;
        }
        break;
      }
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': {
        const value = values.number();
        const absolute = Math.abs(value);
        head = sign(value < 0 || Object.is(value, -0));
        if (!Number.isFinite(value)) {
          body = Number.isNaN(value) ? 'nan' : 'inf';
          zero = false;
        } else if (kind === 'e' || kind === 'E') body = exponent(absolute, precision ?? 6, kind === 'E');
        else if (kind === 'f' || kind === 'F') body = fixed(absolute, precision ?? 6);
        else body = general(absolute, precision, flags.includes('#'), kind === 'G');
        break;
      }
      default:
        throw new FormatError(`%${kind}: invalid format`);
    }
    const missing = width - head.length - body.length;
    if (missing <= 0) parts.push(head, body);
    else if (left) parts.push(head, body, ' '.repeat(missing));
    else if (zero) parts.push(head, '0'.repeat(missing), body);
    else parts.push(' '.repeat(missing), head, body);
  }
  return { text: parts.join(''), stopped: false };
}

/** toFixed of a large number would be in exponents. */
const fixed = (value: number, precision: number): string =>
  value < 1e21
    ? value.toFixed(Math.min(100, precision))
    : `${BigInt(Math.round(value))}${precision > 0 ? `.${'0'.repeat(Math.min(100, precision))}` : ''}`;
