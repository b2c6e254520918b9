import type { CronFields, CronSchedule } from '../../machinery/cron.js';
import { fromWallClock, type OffsetAt } from './time-zone.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const YEARS_AHEAD = 5;

/** When both days are restricted, either will do. */
function dayMatches({ dayOfMonth, dayOfWeek }: CronFields, local: Date): boolean {
  const ofMonth = dayOfMonth.values.has(local.getUTCDate());
  const ofWeek = dayOfWeek.values.has(local.getUTCDay());
  return dayOfMonth.any || dayOfWeek.any ? ofMonth && ofWeek : ofMonth || ofWeek;
}

/**
 * The first time after `afterMs` that a schedule names; undefined when there is none within five years ("30 2 30 2 *").
 * Finds field after field, from months to minutes, as robfig/cron's SpecSchedule.Next does, so that hours that a clock
 * put forward or back skips or repeats are treated alike.
 */
export function nextTime(schedule: CronSchedule, afterMs: number, offsetAt: OffsetAt): number | undefined {
  const start = Math.floor(afterMs / SECOND_MS) * SECOND_MS;
  if (schedule.kind === 'every') return start + schedule.ms;
  const { fields } = schedule;
  const wall = (ms: number): Date => new Date(ms + offsetAt(ms));
  const at = (year: number, month: number, day: number, hour = 0): number =>
    fromWallClock(Date.UTC(year, month, day, hour), offsetAt);

  let t = start + SECOND_MS;
  const lastYear = wall(t).getUTCFullYear() + YEARS_AHEAD;
  /** Whether lower fields have been set back to their start. */
  let advanced = false;
  search: for (;;) {
    if (wall(t).getUTCFullYear() > lastYear) return undefined;
    while (!fields.month.values.has(wall(t).getUTCMonth() + 1)) {
      const local = wall(t);
      advanced = true;
      t = at(local.getUTCFullYear(), local.getUTCMonth() + 1, 1);
      if (wall(t).getUTCMonth() === 0) continue search;
    }
    while (!dayMatches(fields, wall(t))) {
      const local = wall(t);
      advanced = true;
      t = at(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate() + 1);
      // Midnight does not exist on the day a clock is put forward at midnight.
      const hour = wall(t).getUTCHours();
      if (hour !== 0) t += (hour > 12 ? 24 - hour : -hour) * HOUR_MS;
      if (wall(t).getUTCDate() === 1) continue search;
    }
    while (!fields.hour.values.has(wall(t).getUTCHours())) {
      if (!advanced) {
        advanced = true;
        const local = wall(t);
        t = at(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate(), local.getUTCHours());
      }
      t += HOUR_MS;
      if (wall(t).getUTCHours() === 0) continue search;
    }
    while (!fields.minute.values.has(wall(t).getUTCMinutes())) {
      if (!advanced) {
        advanced = true;
        t = Math.floor(t / MINUTE_MS) * MINUTE_MS;
      }
      t += MINUTE_MS;
      if (wall(t).getUTCMinutes() === 0) continue search;
    }
    if (t % MINUTE_MS === 0) return t;
    advanced = true;
    t = (Math.floor(t / MINUTE_MS) + 1) * MINUTE_MS;
  }
}

export interface Missed {
  /** From when on times count. */
  readonly earliestMs: number;
  /** The last time that is over and has not been acted on. */
  readonly latestMs?: number;
  readonly many: boolean;
}

export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

/** Upstream warns from here on: the clock, or the deadline, is wrong. */
const MANY = 100;

/**
 * What was missed since the last run (cronjob/utils.go mostRecentScheduleTime). Long absences are not walked through:
 * the interval between the first two times gives a point near the end to start from.
 * @throws ScheduleError for a schedule that never comes
 */
export function missedTimes(
  next: (afterMs: number) => number | undefined,
  sinceMs: number,
  deadlineSeconds: number | undefined,
  nowMs: number,
): Missed {
  const earliestMs = deadlineSeconds === undefined ? sinceMs : Math.max(sinceMs, nowMs - deadlineSeconds * SECOND_MS);
  const first = next(earliestMs);
  const second = first === undefined ? undefined : next(first);
  if (first === undefined || second === undefined)
    throw new ScheduleError('time difference between two schedules is less than 1 second');
  if (nowMs < first) return { earliestMs, many: false };
  if (nowMs < second) return { earliestMs, latestMs: first, many: false };
  const interval = Math.round((second - first) / SECOND_MS) * SECOND_MS;
  const count = Math.floor((nowMs - first) / interval) + 1;
  let latestMs: number | undefined;
  for (let t = next(first + (count - 2) * interval); t !== undefined && t <= nowMs; t = next(t)) latestMs = t;
  return { earliestMs, many: count > MANY, ...(latestMs === undefined ? {} : { latestMs }) };
}
