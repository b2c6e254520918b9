import { durationProblem, parseDuration } from '../machinery/duration.js';
import type { Duration } from './types.js';

/** In milliseconds, forwards or backwards. @throws RangeError */
export function signedMilliseconds(duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : parseDuration(duration);
  if (ms !== undefined && Number.isFinite(ms)) return ms;
  const why = (typeof duration === 'string' && durationProblem(duration)) || 'want e.g. "30s" or milliseconds';
  throw new RangeError(`${JSON.stringify(duration)} is no duration: ${why}`);
}

/** In milliseconds. @throws RangeError */
export function milliseconds(duration: Duration): number {
  const ms = signedMilliseconds(duration);
  if (ms < 0) throw new RangeError(`${JSON.stringify(duration)} is less than nothing`);
  return ms;
}
