const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  c: 1,
  w: 2,
  b: 512,
  kD: 1000,
  KD: 1000,
  kB: 1000,
  KB: 1000,
  k: 1024,
  K: 1024,
  MD: 1000 ** 2,
  MB: 1000 ** 2,
  m: 1024 ** 2,
  M: 1024 ** 2,
  GD: 1000 ** 3,
  GB: 1000 ** 3,
  g: 1024 ** 3,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** "10", "4k", "1M": a number with one of the tools' suffixes. @throws Error */
export function parseCount(text: string): number {
  const parsed = /^(\d{1,18})([a-zA-Z]{0,2})$/.exec(text);
  const unit = UNITS[parsed?.[2] ?? ''];
  if (parsed === null || unit === undefined) throw new Error(`invalid number '${text}'`);
  return Number(parsed[1]) * unit;
}

/** Bytes as ls -h and df -h show them; `whole` without a fraction. */
export function humanSize(bytes: number, whole = false): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < 6) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return String(bytes);
  return `${value.toFixed(whole ? 0 : 1)}${['', 'K', 'M', 'G', 'T', 'P', 'E'][unit] ?? ''}`;
}
