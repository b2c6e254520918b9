/**
 * Orders keys as their UTF-8 bytes. UTF-16 code units order the same way except where a surrogate (an astral
 * character) meets U+E000..U+FFFF, so only those need a second look.
 */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    return x >= 0xd800 && y >= 0xd800 ? rank(x) - rank(y) : x - y;
  }
  return a.length - b.length;
}

/** Moves surrogates above the rest of the basic plane. */
const rank = (unit: number): number => (unit < 0xe000 ? unit + 0x10000 : unit);

/** The smallest key greater than every key that starts with `prefix`; undefined: there is none (no upper bound). */
export function prefixEnd(prefix: string): string | undefined {
  const points = [...prefix];
  for (;;) {
    const last = points.pop();
    if (last === undefined) return undefined;
    const point = last.codePointAt(0) ?? 0;
    if (point === 0x10ffff) continue;
    return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
}
