/** Durations as people read them (ages in tables) and as Go writes them ("1h30m0.5s"). */

const SECOND = 1000;

const withRest = (whole: number, unit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;

/** Two or three significant figures, e.g. "5m30s", "3h", "2d4h". Source: apimachinery pkg/util/duration. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND);
  // A clock that runs up to two seconds behind is taken as "now".
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return withRest(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  return days < 365 * 8 ? withRest(years, 'y', days % 365, 'd') : `${years}y`;
}

/** One figure, e.g. "5m", "2d". */
export function shortHumanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 24) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  return days < 365 ? `${days}d` : `${Math.trunc(days / 365)}y`;
}

/** The AGE cell: time since an RFC 3339 instant, "<unknown>" without one. */
export function humanAge(instant: string | null | undefined, nowMs: number): string {
  const at = instant === undefined || instant === null ? NaN : Date.parse(instant);
  return Number.isNaN(at) ? '<unknown>' : humanDuration(nowMs - at);
}

const UNITS = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Digits above which a whole number cannot be an int64. */
const INT64_DIGITS = 19;
const MAX_INT64 = 2 ** 63;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** A number that time.ParseDuration reads, from `start`; its unit begins at `end`. undefined: none, or too large. */
function leadingNumber(text: string, start: number): { value: number; end: number } | undefined {
  let point = start;
  while (isDigit(text.charCodeAt(point))) point++;
  let end = point;
  if (text[point] === '.') {
    end++;
    while (isDigit(text.charCodeAt(end))) end++;
  }
  const digits = point - start + Math.max(0, end - point - 1);
  if (digits === 0) return undefined;
  let first = start;
  while (first < point && text[first] === '0') first++;
  if (point - first > INT64_DIGITS) return undefined;
  // What stands that far behind the point is less than a nanosecond of anything.
  return { value: Number(text.slice(first, Math.min(end, point + 1 + INT64_DIGITS)) || '0'), end };
}

/** Milliseconds, or what time.ParseDuration says is wrong, without the text that it quotes. */
function readDuration(text: string): number | 'invalid duration' | 'missing unit in duration' | { unit: string } {
  let at = text.startsWith('-') || text.startsWith('+') ? 1 : 0;
  if (text.slice(at) === '0') return 0;
  if (at === text.length) return 'invalid duration';
  let total = 0;
  while (at < text.length) {
    const number = leadingNumber(text, at);
    if (number === undefined) return 'invalid duration';
    let end = number.end;
    while (end < text.length && text[end] !== '.' && !isDigit(text.charCodeAt(end))) end++;
    if (end === number.end) return 'missing unit in duration';
    const unit = text.slice(number.end, end);
    const scale = UNITS.get(unit);
    if (scale === undefined) return { unit };
    total += number.value * scale;
    if (total * 1e6 > MAX_INT64) return 'invalid duration';
    at = end;
  }
  return text.startsWith('-') ? -total : total;
}

/** time.ParseDuration: milliseconds, or undefined when it is not a Go duration. */
export function parseDuration(text: string): number | undefined {
  const read = readDuration(text);
  return typeof read === 'number' ? read : undefined;
}

/** The error of time.ParseDuration; undefined: there is none. */
export function durationProblem(text: string): string | undefined {
  const read = readDuration(text);
  if (typeof read === 'number') return undefined;
  const what = typeof read === 'string' ? read : `unknown unit ${JSON.stringify(read.unit)} in duration`;
  return `time: ${what} ${JSON.stringify(text)}`;
}

/** time.Duration.String() of milliseconds: "1h30m0s", "500ms", "0s". */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  const abs = Math.abs(ms);
  const plain = (value: number): string => String(Number(value.toFixed(9)));
  if (abs < 1e-3) return `${sign}${plain(abs * 1e6)}ns`;
  if (abs < 1) return `${sign}${plain(abs * 1e3)}µs`;
  if (abs < SECOND) return `${sign}${plain(abs)}ms`;
  const hours = Math.trunc(abs / 3_600_000);
  const minutes = Math.trunc((abs % 3_600_000) / 60_000);
  const seconds = `${plain((abs % 60_000) / SECOND)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}
