/**
 * Times as Go's time.Parse reads them in the two layouts of the API, with its error texts.
 * Source: time/format.go (Parse), apimachinery pkg/apis/meta/v1/{time,micro_time}.go.
 */
export type TimeLayout = 'seconds' | 'micros';

const LAYOUTS: Readonly<Record<TimeLayout, string>> = {
  seconds: '2006-01-02T15:04:05Z07:00',
  micros: '2006-01-02T15:04:05.000000Z07:00',
};

const CANONICAL: Readonly<Record<TimeLayout, RegExp>> = {
  seconds: /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/,
  micros: /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/,
};

export class GoTimeError extends Error {
  override readonly name = 'GoTimeError';
}

const quote = (text: string): string => JSON.stringify(text);

/**
 * Reads RFC 3339 text and writes it as the API does: UTC, seconds or microseconds.
 * @throws GoTimeError with Go's message, e.g. parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"
 */
export function canonicalTime(text: string, layout: TimeLayout): string {
  if (CANONICAL[layout].test(text)) return text;
  const { epochMs, micros } = parse(text, layout);
  const seconds = new Date(epochMs).toISOString().slice(0, 19);
  return layout === 'seconds' ? `${seconds}Z` : `${seconds}.${String(micros).padStart(6, '0')}Z`;
}

function parse(text: string, layout: TimeLayout): { epochMs: number; micros: number } {
  let rest = text;
  const fail = (element: string): GoTimeError =>
    new GoTimeError(
      `parsing time ${quote(text)} as ${quote(LAYOUTS[layout])}: cannot parse ${quote(rest)} as ${quote(element)}`,
    );
  const take = (pattern: RegExp, element: string): string => {
    const match = pattern.exec(rest)?.[0];
    if (match === undefined) throw fail(element);
    rest = rest.slice(match.length);
    return match;
  };
  const range = (value: string, low: number, high: number, what: string): number => {
    const number = Number(value);
    if (number < low || number > high) throw new GoTimeError(`parsing time ${quote(text)}: ${what} out of range`);
    return number;
  };
  const year = Number(take(/^\d{4}/, '2006'));
  take(/^-/, '-');
  const month = range(take(/^\d{2}/, '01'), 1, 12, 'month');
  take(/^-/, '-');
  const day = Number(take(/^\d{2}/, '02'));
  take(/^T/, 'T');
  const hour = range(take(/^\d{2}/, '15'), 0, 23, 'hour');
  take(/^:/, ':');
  const minute = range(take(/^\d{2}/, '04'), 0, 59, 'minute');
  take(/^:/, ':');
  const second = range(take(/^\d{2}/, '05'), 0, 59, 'second');
  // A fraction after the seconds is read even when the layout has none.
  let fraction = '';
  if (layout === 'micros') fraction = take(/^\.\d{6}(?!\d)/, '.000000').slice(1);
  else fraction = /^[.,]\d+/.test(rest) ? take(/^[.,]\d+/, '.').slice(1) : '';
  const zone = take(/^(?:Z|[+-]\d{2}:\d{2})/, 'Z07:00');
  if (rest !== '') throw new GoTimeError(`parsing time ${quote(text)}: extra text: ${quote(rest)}`);
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate())
    throw new GoTimeError(`parsing time ${quote(text)}: day out of range`);
  const offset =
    zone === 'Z' ? 0 : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute - offset, second);
  return { epochMs: date.getTime(), micros: Number(fraction.slice(0, 6).padEnd(6, '0')) };
}
