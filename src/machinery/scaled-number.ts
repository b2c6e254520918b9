/** Exact numbers of any size: `unscaled * 10^scale`. */

/** Rounds away from zero to `target`, without ever building a power of ten larger than the number itself. */
export function roundUp(
  unscaled: bigint,
  scale: number,
  target: number,
): { unscaled: bigint; scale: number; exact: boolean } {
  if (scale >= target || unscaled === 0n) return { unscaled, scale: Math.max(scale, target), exact: true };
  const negative = unscaled < 0n;
  const magnitude = negative ? -unscaled : unscaled;
  const drop = target - scale;
  if (drop > magnitude.toString().length) return { unscaled: negative ? -1n : 1n, scale: target, exact: false };
  const divisor = 10n ** BigInt(drop);
  const exact = magnitude % divisor === 0n;
  const rounded = magnitude / divisor + (exact ? 0n : 1n);
  return { unscaled: negative ? -rounded : rounded, scale: target, exact };
}

const digitsOf = (value: bigint): number => (value < 0n ? -value : value).toString().length;

/** The sign of their difference. */
export function compareScaled(a: bigint, aScale: number, b: bigint, bScale: number): -1 | 0 | 1 {
  const sign = (v: bigint): number => (v > 0n ? 1 : v < 0n ? -1 : 0);
  if (sign(a) !== sign(b)) return sign(a) < sign(b) ? -1 : 1;
  if (a === 0n) return 0;
  const aMagnitude = digitsOf(a) + aScale;
  const bMagnitude = digitsOf(b) + bScale;
  if (aMagnitude !== bMagnitude) return aMagnitude < bMagnitude === a > 0n ? -1 : 1;
  const x = aScale > bScale ? a * 10n ** BigInt(aScale - bScale) : a;
  const y = bScale > aScale ? b * 10n ** BigInt(bScale - aScale) : b;
  return x < y ? -1 : x > y ? 1 : 0;
}

export const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value;
