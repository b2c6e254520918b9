/** A time zone's difference to UTC, in milliseconds, at an instant (milliseconds since the epoch). */
export type OffsetAt = (ms: number) => number;

export class UnknownTimeZoneError extends Error {
  override readonly name = 'UnknownTimeZoneError';
}

const MINUTE_MS = 60_000;
/** No zone has ever changed its offset within a quarter of an hour. */
const QUARTER_MS = 15 * MINUTE_MS;

export const localOffset: OffsetAt = ms => -new Date(ms).getTimezoneOffset() * MINUTE_MS;

/**
 * The zone of an IANA name. Answers are remembered per quarter of an hour, for asking Intl is slow.
 * @throws UnknownTimeZoneError
 */
export function zoneOffset(name: string): OffsetAt {
  if (name === 'UTC' || name === 'Etc/UTC') return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new UnknownTimeZoneError(`unknown time zone ${name}`);
  }
  const known = new Map<number, number>();
  return ms => {
    const start = Math.floor(ms / QUARTER_MS) * QUARTER_MS;
    let offset = known.get(start);
    if (offset === undefined) {
      const part: Record<string, number> = {};
      for (const { type, value } of format.formatToParts(start)) part[type] = Number(value);
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
      offset = Date.UTC(year, month - 1, day, hour, minute, second) - start;
      known.set(start, offset);
    }
    return offset;
  };
}

/** A wall clock's reading as an instant; in the gap of a clock put forward, one that a zone before or after it gives. */
export function fromWallClock(localMs: number, offsetAt: OffsetAt): number {
  const guess = offsetAt(localMs);
  const ms = localMs - guess;
  return offsetAt(ms) === guess ? ms : localMs - offsetAt(ms);
}

/** RFC 3339 in the zone: "2026-03-01T02:30:00+01:00", with "Z" for UTC. */
export function formatZoned(ms: number, offsetAt: OffsetAt): string {
  const offset = offsetAt(ms) / MINUTE_MS;
  const text = new Date(ms + offset * MINUTE_MS).toISOString().slice(0, 19);
  if (offset === 0) return `${text}Z`;
  const two = (n: number): string => String(n).padStart(2, '0');
  const size = Math.abs(offset);
  return `${text}${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** RFC 1123 with a numeric zone, in UTC: "Thu, 01 Jan 2026 00:00:00 +0000". */
export const formatRfc1123 = (ms: number): string => new Date(ms).toUTCString().replace('GMT', '+0000');
