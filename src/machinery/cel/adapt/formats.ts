import { MAX_INT, MIN_INT } from '../standard/numbers.js';
import { parseNanos, parseTime } from '../standard/times.js';
import { Bytes, CelError, Duration, Timestamp, type Value } from '../values.js';

/** Strings whose format gives them another type. Source: kube-openapi pkg/validation/strfmt. */
export type Format = 'duration' | 'date' | 'date-time' | 'byte';

const LOCAL_TIME = /^\d{4}-\d{2}-\d{2}T\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

export function readFormat(format: Format, text: string): Value {
  switch (format) {
    case 'duration': {
      const nanos = parseNanos(text) ?? parseUnits(text);
      if (nanos !== undefined) return new Duration(nanos);
      return new CelError(`Invalid duration ${text}: unable to parse ${text} as duration`);
    }
    case 'date':
      return readTime(DATE.test(text) ? `${text}T00:00:00Z` : '', text, 'date');
    case 'date-time':
      return readTime(LOCAL_TIME.test(text) ? `${text}Z` : text || '1970-01-01T00:00:00Z', text, 'date-time');
    case 'byte':
      return readBase64(text);
  }
}

function readTime(read: string, text: string, format: string): Value {
  const time = parseTime(read);
  return time === undefined
    ? new CelError(`Invalid ${format} formatted string ${text}: parsing time ${JSON.stringify(text)}: cannot parse`)
    : new Timestamp(time.nanos, time.offset);
}

const UNITS: readonly (readonly [bigint, ...string[]])[] = [
  [1n, 'ns', 'nano'],
  [1000n, 'us', 'µs', 'micro'],
  [1_000_000n, 'ms', 'milli'],
  [1_000_000_000n, 's', 'sec'],
  [60_000_000_000n, 'm', 'min'],
  [3_600_000_000_000n, 'h', 'hr', 'hour'],
  [86_400_000_000_000n, 'd', 'day'],
  [604_800_000_000_000n, 'w', 'wk', 'week'],
];
const PART = /(?<!\d)(\d+)\s*([A-Za-zµ]+)/g;
const MAX_DIGITS = 18;

/** "2 days 3 hours": the last name of a unit may go on. */
function parseUnits(text: string): bigint | undefined {
  let total: bigint | undefined;
  for (const [, digits = '', name = ''] of text.matchAll(PART)) {
    if (digits.length > MAX_DIGITS) return undefined;
    const unit = name.toLowerCase();
    const found = UNITS.find(
      ([, ...names]) => names.includes(unit) || unit.startsWith(names[names.length - 1] as string),
    );
    if (found !== undefined) total = (total ?? 0n) + BigInt(digits) * found[0];
  }
  return total === undefined || total < MIN_INT || total > MAX_INT ? undefined : total;
}

const BASE_64 = /^[A-Za-z0-9_-]*={0,2}$/;

/** In the alphabet of URLs, as upstream reads it. */
function readBase64(text: string): Value {
  const end = text.search(/[^A-Za-z0-9_=-]/);
  if (end < 0 && text.length % 4 === 0 && BASE_64.test(text)) return new Bytes(Buffer.from(text, 'base64url'));
  const at = end < 0 ? text.length : end;
  return new CelError(`Invalid byte formatted string ${text}: illegal base64 data at input byte ${at}`);
}
