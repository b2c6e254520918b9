import type { Declaration, Overload } from '../declarations.js';
import { DURATION, INT, STRING, TIMESTAMP } from '../types.js';
import type { Duration } from '../values.js';
import { CelError, type Timestamp, type Value } from '../values.js';
import { secondsOf } from './times.js';
import { readZone, type Zone } from './zones.js';

const DAY_MS = 86_400_000;
const UTC: Zone = () => 0;

/** What a clock in a zone shows, in the fields that a Date has in UTC. */
function shown({ nanos }: Timestamp, zone: Zone): Date {
  return new Date((Number(secondsOf(nanos)) + zone(nanos)) * 1000);
}

const dayOfYear = (date: Date): number => {
  const start = new Date(0);
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return Math.floor((date.getTime() - start.getTime()) / DAY_MS);
};

const milliseconds = ({ nanos }: Timestamp): number => Number((nanos - secondsOf(nanos) * 1_000_000_000n) / 1_000_000n);

/** Of a zone that is not a literal, too: it is mostly the same one. */
function inZone(read: (date: Date, time: Timestamp) => number): Overload['bind'] {
  let last: string | undefined;
  let zone: Zone | CelError = UTC;
  return (time, name) => {
    if (name !== last) {
      last = name as string;
      zone = readZone(last);
    }
    return zone instanceof CelError ? zone : BigInt(read(shown(time as Timestamp, zone), time as Timestamp));
  };
}

function getter(
  name: string,
  id: string,
  doc: string,
  read: (date: Date, time: Timestamp) => number,
  ofDuration?: bigint,
  zoneId = `${id}_with_tz`,
): Declaration {
  const overloads: Overload[] = [
    {
      id: `timestamp_to_${id}`,
      member: true,
      args: [TIMESTAMP],
      result: INT,
      bind: time => BigInt(read(shown(time as Timestamp, UTC), time as Timestamp)),
    },
    {
      id: `timestamp_to_${zoneId}`,
      member: true,
      args: [TIMESTAMP, STRING],
      result: INT,
      bind: (time, zone) => inZone(read)(time, zone),
      specialize: () => ({ bind: inZone(read) }),
    },
  ];
  if (ofDuration !== undefined)
    overloads.push({
      id: `duration_to_${id}`,
      member: true,
      args: [DURATION],
      result: INT,
      bind: (value: Value) => (value as Duration).nanos / ofDuration,
    });
  return { name, doc: `${doc}, in UTC or in a time zone.`, overloads, examples: EXAMPLES.get(name) ?? [] };
}

const EXAMPLES: ReadonlyMap<string, Declaration['examples']> = new Map([
  ['getFullYear', [{ expr: "timestamp('2023-01-01T05:30:00Z').getFullYear('-08:00')", is: '2022' }]],
  ['getMonth', [{ expr: "timestamp('2023-01-01T05:30:00Z').getMonth('America/Los_Angeles')", is: '11' }]],
  ['getDayOfYear', [{ expr: "timestamp('2023-01-02T00:00:00Z').getDayOfYear()", is: '1' }]],
  ['getDayOfMonth', [{ expr: "timestamp('2023-07-14T10:30:45Z').getDayOfMonth()", is: '13' }]],
  ['getDate', [{ expr: "timestamp('2023-07-14T10:30:45Z').getDate()", is: '14' }]],
  ['getDayOfWeek', [{ expr: "timestamp('2023-07-14T10:30:45Z').getDayOfWeek()", is: '5' }]],
  [
    'getHours',
    [
      { expr: "duration('3723s').getHours()", is: '1' },
      { expr: "timestamp('2023-07-14T10:30:45Z').getHours('x/y')", error: 'unknown time zone x/y' },
    ],
  ],
  ['getMinutes', [{ expr: "duration('3723s').getMinutes()", is: '62' }]],
  ['getSeconds', [{ expr: "duration('3723.456s').getSeconds()", is: '3723' }]],
  ['getMilliseconds', [{ expr: "timestamp('2023-07-14T10:30:45.123Z').getMilliseconds()", is: '123' }]],
]);

const MS = 1_000_000n;

export const TIME_FUNCTIONS: readonly Declaration[] = [
  getter('getFullYear', 'year', 'The year', date => date.getUTCFullYear()),
  getter('getMonth', 'month', 'The month, from 0', date => date.getUTCMonth()),
  getter('getDayOfYear', 'day_of_year', 'The day of the year, from 0', dayOfYear),
  getter('getDayOfMonth', 'day_of_month', 'The day of the month, from 0', date => date.getUTCDate() - 1),
  getter('getDate', 'day_of_month_1_based', 'The day of the month, from 1', date => date.getUTCDate()),
  getter('getDayOfWeek', 'day_of_week', 'The day of the week, from Sunday, which is 0', date => date.getUTCDay()),
  getter('getHours', 'hours', 'The hour, or the hours of a duration', date => date.getUTCHours(), 3_600_000n * MS),
  getter(
    'getMinutes',
    'minutes',
    'The minute, or the minutes of a duration',
    date => date.getUTCMinutes(),
    60_000n * MS,
  ),
  getter(
    'getSeconds',
    'seconds',
    'The second, or the seconds of a duration',
    date => date.getUTCSeconds(),
    1000n * MS,
    'seconds_tz',
  ),
  getter(
    'getMilliseconds',
    'milliseconds',
    'The milliseconds within the second, or those of a duration',
    (_date, time) => milliseconds(time),
    MS,
  ),
];
