const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const LONG_DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const LONG_MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAY_MS = 86_400_000;

const pad = (n: number, width = 2, fill = '0'): string => String(n).padStart(width, fill);

/** ISO 8601 week number and its year. */
function isoWeek(time: Date): readonly [year: number, week: number] {
  const day = (time.getUTCDay() + 6) % 7;
  const thursday = new Date(time.getTime() + (3 - day) * DAY_MS);
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return [thursday.getUTCFullYear(), 1 + Math.floor((thursday.getTime() - first) / (7 * DAY_MS))];
}

/** strftime(3) in UTC and the C locale. */
export function formatTime(format: string, ms: number): string {
  const time = new Date(ms);
  const year = time.getUTCFullYear();
  const hour = time.getUTCHours();
  const dayOfYear = Math.floor((ms - Date.UTC(year, 0, 1)) / DAY_MS) + 1;
  const field = (key: string): string | undefined => {
    switch (key) {
      case 'Y':
        return String(year);
      case 'C':
        return pad(Math.floor(year / 100));
      case 'y':
        return pad(year % 100);
      case 'm':
        return pad(time.getUTCMonth() + 1);
      case 'd':
        return pad(time.getUTCDate());
      case 'e':
        return pad(time.getUTCDate(), 2, ' ');
      case 'H':
        return pad(hour);
      case 'k':
        return pad(hour, 2, ' ');
      case 'I':
        return pad(hour % 12 === 0 ? 12 : hour % 12);
      case 'l':
        return pad(hour % 12 === 0 ? 12 : hour % 12, 2, ' ');
      case 'p':
        return hour < 12 ? 'AM' : 'PM';
      case 'P':
        return hour < 12 ? 'am' : 'pm';
      case 'M':
        return pad(time.getUTCMinutes());
      case 'S':
        return pad(time.getUTCSeconds());
      case 's':
        return String(Math.floor(ms / 1000));
      case 'N':
        return pad((ms % 1000) * 1_000_000, 9);
      case 'a':
        return DAYS[time.getUTCDay()];
      case 'A':
        return LONG_DAYS[time.getUTCDay()];
      case 'b':
      case 'h':
        return MONTHS[time.getUTCMonth()];
      case 'B':
        return LONG_MONTHS[time.getUTCMonth()];
      case 'j':
        return pad(dayOfYear, 3);
      case 'u':
        return String(time.getUTCDay() === 0 ? 7 : time.getUTCDay());
      case 'w':
        return String(time.getUTCDay());
      case 'U':
        return pad(Math.floor((dayOfYear + 6 - time.getUTCDay()) / 7));
      case 'W':
        return pad(Math.floor((dayOfYear + 6 - ((time.getUTCDay() + 6) % 7)) / 7));
      case 'V':
        return pad(isoWeek(time)[1]);
      case 'G':
        return String(isoWeek(time)[0]);
      case 'g':
        return pad(isoWeek(time)[0] % 100);
      case 'F':
        return formatTime('%Y-%m-%d', ms);
      case 'T':
      case 'X':
        return formatTime('%H:%M:%S', ms);
      case 'R':
        return formatTime('%H:%M', ms);
      case 'r':
        return formatTime('%I:%M:%S %p', ms);
      case 'D':
      case 'x':
        return formatTime('%m/%d/%y', ms);
      case 'c':
        return formatTime('%a %b %e %H:%M:%S %Y', ms);
      case 'Z':
        return 'UTC';
      case 'z':
        return '+0000';
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case '%':
        return '%';
      default:
        return undefined;
    }
  };
  return format.replace(/%[-_0^#]?([a-zA-Z%])/g, (match, key: string) => {
    const value = field(key) ?? match;
    if (match[1] === '-') return value.replace(/^[0 ]+(?=.)/, '');
    return match[1] === '^' ? value.toUpperCase() : value;
  });
}

/** The moments that date -d and touch -d understand; undefined when it is none. */
export function parseTime(text: string, now: number): number | undefined {
  if (text === 'now' || text === '') return now;
  const epoch = /^@(-?\d{1,12})(?:\.(\d{1,3})\d*)?$/.exec(text);
  if (epoch !== null) return Number(epoch[1]) * 1000 + Number((epoch[2] ?? '').padEnd(3, '0'));
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d{1,9})?Z?)?$/.exec(text);
  if (iso !== null) {
    const [, year, month, day, hour = '0', minute = '0', second = '0'] = iso;
    const values = [year, month, day, hour, minute, second].map(Number);
    const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = values;
    if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || s > 60) return undefined;
    return Date.UTC(y, mo - 1, d, h, mi, s);
  }
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (clock !== null)
    return (
      Math.floor(now / DAY_MS) * DAY_MS +
      Number(clock[1]) * 3_600_000 +
      Number(clock[2]) * 60_000 +
      Number(clock[3] ?? 0) * 1000
    );
  // MMDDhhmm[[CC]YY][.ss], as touch -t and date's operand.
  const posix = /^(?:(\d{2})?(\d{2}))?(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{2}))?$/.exec(text);
  if (posix !== null) {
    const [, century, yy, month, day, hour, minute, second = '0'] = posix;
    const year =
      yy === undefined ? new Date(now).getUTCFullYear() : Number(`${century ?? (Number(yy) < 69 ? '20' : '19')}${yy}`);
    return Date.UTC(year, Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  }
  return undefined;
}
