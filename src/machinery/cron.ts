import { quote } from './go-text.js';
import { parseDuration } from './duration.js';

/** Values that a field of a schedule matches. `any`: it was written as * or ?. */
export interface CronField {
  readonly values: ReadonlySet<number>;
  readonly any: boolean;
}

export interface CronFields {
  readonly minute: CronField;
  readonly hour: CronField;
  readonly dayOfMonth: CronField;
  readonly month: CronField;
  readonly dayOfWeek: CronField;
}

/** Either calendar fields or a constant delay ("@every 1h"). */
export type CronSchedule =
  | { readonly kind: 'fields'; readonly fields: CronFields }
  | { readonly kind: 'every'; readonly ms: number };

export class CronError extends Error {}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MINUTE: Bounds = { min: 0, max: 59 };
const HOUR: Bounds = { min: 0, max: 23 };
const DAY_OF_MONTH: Bounds = { min: 1, max: 31 };
const MONTH: Bounds = {
  min: 1,
  max: 12,
  names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
const DAY_OF_WEEK: Bounds = { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] };

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

function parseNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text))
    throw new CronError(`failed to parse int from ${text}: strconv.Atoi: parsing ${quote(text)}: invalid syntax`);
  const value = Number(text);
  if (value < 0) throw new CronError(`negative number (${value}) not allowed: ${text}`);
  return value;
}

function parseNumberOrName(text: string, { min, names }: Bounds): number {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  return index < 0 ? parseNumber(text) : index + min;
}

/** One of "*", "5", "1-5", each with an optional "/step". */
function parseRange(text: string, bounds: Bounds): { values: number[]; any: boolean } {
  const [range = '', ...steps] = text.split('/');
  const [low = '', ...highs] = range.split('-');
  const any = low === '*' || low === '?';
  if (!any && highs.length > 1) throw new CronError(`too many hyphens: ${text}`);
  const start = any ? bounds.min : parseNumberOrName(low, bounds);
  const high = highs[0];
  let end = any ? bounds.max : high === undefined ? start : parseNumberOrName(high, bounds);
  if (steps.length > 1) throw new CronError(`too many slashes: ${text}`);
  const step = steps[0] === undefined ? 1 : parseNumber(steps[0]);
  // "N/step" is "N-max/step".
  if (steps.length === 1 && highs.length === 0) end = bounds.max;
  if (start < bounds.min) throw new CronError(`beginning of range (${start}) below minimum (${bounds.min}): ${text}`);
  if (end > bounds.max) throw new CronError(`end of range (${end}) above maximum (${bounds.max}): ${text}`);
  if (start > end) throw new CronError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new CronError(`step of range should be a positive number: ${text}`);
  const values: number[] = [];
  for (let value = start; value <= end; value += step) values.push(value);
  return { values, any: any && step === 1 };
}

function parseField(text: string, bounds: Bounds): CronField {
  const ranges = text
    .split(',')
    .filter(part => part !== '')
    .map(part => parseRange(part, bounds));
  return { values: new Set(ranges.flatMap(range => range.values)), any: ranges.some(range => range.any) };
}

/**
 * A schedule as robfig/cron's ParseStandard reads it, with its messages. A leading "TZ=" or "CRON_TZ=" is skipped: who
 * cares for time zones looks for it.
 * @throws CronError
 */
export function parseCron(spec: string): CronSchedule {
  if (spec === '') throw new CronError('empty spec string');
  const text = spec.replace(/^(CRON_)?TZ=\S*\s+/, '').trim();
  if (text.startsWith('@every ')) {
    const duration = text.slice('@every '.length);
    const ms = parseDuration(duration);
    if (ms === undefined)
      throw new CronError(`failed to parse duration ${text}: time: invalid duration ${quote(duration)}`);
    return { kind: 'every', ms: Math.max(1000, Math.floor(ms / 1000) * 1000) };
  }
  const plain = text.startsWith('@') ? DESCRIPTORS[text] : text;
  if (plain === undefined) throw new CronError(`unrecognized descriptor: ${text}`);
  const parts = plain.split(/\s+/).filter(part => part !== '');
  const [minute, hour, dayOfMonth, month, dayOfWeek, ...rest] = parts;
  if (dayOfWeek === undefined || rest.length > 0)
    throw new CronError(`expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`);
  return {
    kind: 'fields',
    fields: {
      minute: parseField(minute ?? '', MINUTE),
      hour: parseField(hour ?? '', HOUR),
      dayOfMonth: parseField(dayOfMonth ?? '', DAY_OF_MONTH),
      month: parseField(month ?? '', MONTH),
      dayOfWeek: parseField(dayOfWeek, DAY_OF_WEEK),
    },
  };
}
