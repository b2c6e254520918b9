const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86400 };

/** "1.5", "10m", "infinity" to milliseconds; undefined when it is no duration. */
export function duration(text: string): number | undefined {
  if (/^inf(inity)?$/i.test(text)) return Infinity;
  const parsed = /^(\d{1,15}(?:\.\d{0,9})?|\.\d{1,9})([smhd]?)$/.exec(text);
  return parsed === null ? undefined : Number(parsed[1]) * (UNITS[parsed[2] ?? ''] ?? 1) * 1000;
}
