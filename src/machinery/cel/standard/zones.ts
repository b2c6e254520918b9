import { CelError } from '../values.js';
import { secondsOf } from './times.js';

/** Seconds east of Greenwich at a time. */
export type Zone = (nanos: bigint) => number;

/** Of `Europe/Paris` and its like: Go's names differ in case, and none of them is written in capitals throughout. */
const NAME = /^[A-Z][A-Za-z0-9+_-]*(?:\/[A-Z][A-Za-z0-9+_-]*)*$/;
const SHOUTED = /^[A-Z]{3,}\/[A-Z]{2,}/;
const MAX_NAME = 64;
const NUMBER = /^[+-]?\d{1,9}$/;

/** A time zone as cel-go reads it: a name of the time zone database, or "+hh:mm". */
export function readZone(text: string): Zone | CelError {
  const colon = text.indexOf(':');
  if (colon < 0) return namedZone(text);
  const hours = text.slice(0, colon);
  const minutes = text.slice(colon + 1);
  for (const part of [hours, minutes])
    if (!NUMBER.test(part)) return new CelError(`strconv.Atoi: parsing ${JSON.stringify(part)}: invalid syntax`);
  const offset = 60 * (Number(hours) * 60 + (text.startsWith('-') ? -1 : 1) * Number(minutes));
  return () => offset;
}

function namedZone(name: string): Zone | CelError {
  if (name === '' || name === 'UTC' || name === 'Local') return () => 0;
  if (name.length <= MAX_NAME && NAME.test(name) && !SHOUTED.test(name)) {
    try {
      return zoneOf(new Intl.DateTimeFormat('en-US', { ...PARTS, timeZone: name }));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return new CelError(`unknown time zone ${name}`);
}

const PARTS: Intl.DateTimeFormatOptions = {
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
};

function zoneOf(format: Intl.DateTimeFormat): Zone {
  return nanos => {
    const seconds = Number(secondsOf(nanos));
    const parts = new Map(format.formatToParts(seconds * 1000).map(({ type, value }) => [type, Number(value)]));
    const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
    const local = new Date(0);
    local.setUTCFullYear(part('year'), part('month') - 1, part('day'));
    local.setUTCHours(part('hour'), part('minute'), part('second'));
    return local.getTime() / 1000 - seconds;
  };
}
