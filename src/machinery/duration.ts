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

/** time.ParseDuration: milliseconds, or undefined when it is not a Go duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^([+-]?)((?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/u.exec(text);
  if (match === null) return undefined;
  const body = match[2] ?? '';
  let total = 0;
  for (const part of body.matchAll(/([0-9.]+)(ns|us|µs|μs|ms|s|m|h)/gu)) {
    total += Number(part[1]) * (UNITS.get(part[2] ?? '') ?? 0);
  }
  return match[1] === '-' ? -total : total;
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
