import { MAX_INT, MIN_INT } from './numbers.js';

/** Times and durations as Go reads and writes them, in nanoseconds. */
const NANOS = 1_000_000_000n;
const MIN_SECONDS = -62_135_596_800n;
const MAX_SECONDS = 253_402_300_799n;

/** Go divides towards the past. */
export const secondsOf = (nanos: bigint): bigint => (nanos - (((nanos % NANOS) + NANOS) % NANOS)) / NANOS;

export const isTime = (nanos: bigint): boolean => {
  const seconds = secondsOf(nanos);
  return seconds >= MIN_SECONDS && seconds <= MAX_SECONDS;
};

export const nanosOfSeconds = (seconds: bigint): bigint => seconds * NANOS;

export interface ReadTime {
  readonly nanos: bigint;
  /** Seconds east of Greenwich. */
  readonly offset: number;
}

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** time.Parse(time.RFC3339, text), which takes an hour of one digit, too; undefined: it is not a time. */
export function parseTime(text: string): ReadTime | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number) as [number, ...number[]] as [
    unknown,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const zoneHours = Number(match[9] ?? 0);
  const zoneMinutes = Number(match[10] ?? 0);
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  if (!isDate || hour > 23 || minute > 59 || second > 59 || zoneHours > 24 || zoneMinutes > 60) return undefined;
  const offset = (match[8] === '-' ? -1 : 1) * (zoneHours * 3600 + zoneMinutes * 60);
  const fraction = BigInt((match[7] ?? '').slice(0, 9).padEnd(9, '0'));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset;
  return { nanos: nanosOfSeconds(BigInt(seconds)) + fraction, offset };
}

const daysIn = (year: number, month: number): number => {
  const date = new Date(0);
  date.setUTCFullYear(year, month, 0);
  return date.getUTCDate();
};

const two = (value: number): string => String(value).padStart(2, '0');

function withoutZeros(digits: string): string {
  let end = digits.length;
  while (digits.charAt(end - 1) === '0') end--;
  return digits.slice(0, end);
}

/** time.RFC3339Nano */
export function formatTime(nanos: bigint, offset: number): string {
  const seconds = secondsOf(nanos);
  const rest = nanos - nanosOfSeconds(seconds);
  const date = new Date((Number(seconds) + offset) * 1000);
  const day = `${String(date.getUTCFullYear()).padStart(4, '0')}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const fraction = rest === 0n ? '' : `.${withoutZeros(String(rest).padStart(9, '0'))}`;
  if (offset === 0) return `${day}T${clock}${fraction}Z`;
  const minutes = Math.floor(Math.abs(offset) / 60);
  return `${day}T${clock}${fraction}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1000n],
  ['µs', 1000n],
  ['μs', 1000n],
  ['ms', 1_000_000n],
  ['s', NANOS],
  ['m', 60n * NANOS],
  ['h', 3600n * NANOS],
]);
const PART = /(\d*)(?:\.(\d*))?([^\d.]+)/y;
/** Digits that an int64 has room for. */
const INT_DIGITS = 19;
/** Digits of a fraction that Go looks at: more do not fit either. */
const FRACTION_DIGITS = 18;

/** time.ParseDuration in nanoseconds; undefined: it is none, or none that an int64 holds. */
export function parseNanos(text: string): bigint | undefined {
  const rest = text.startsWith('-') || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') return undefined;
  let total = 0n;
  for (let at = 0; at < rest.length;) {
    PART.lastIndex = at;
    const match = PART.exec(rest);
    const [all = '', whole = '', fraction = '', name = ''] = match ?? [];
    const unit = UNITS.get(name);
    if (match === null || unit === undefined || whole + fraction === '') return undefined;
    const digits = whole.replace(/^0+/, '');
    if (digits.length > INT_DIGITS) return undefined;
    total += BigInt(digits === '' ? 0 : digits) * unit;
    const part = fraction.slice(0, FRACTION_DIGITS);
    if (part !== '') total += BigInt(Math.trunc(Number(part) * (Number(unit) / 10 ** part.length)));
    if (total > MAX_INT + 1n) return undefined;
    at += all.length;
  }
  const nanos = text.startsWith('-') ? -total : total;
  return nanos < MIN_INT || nanos > MAX_INT ? undefined : nanos;
}

/** time.Duration.Seconds() */
export const durationSeconds = (nanos: bigint): number => Number(nanos / NANOS) + Number(nanos % NANOS) / 1e9;
