/** How far counts are from being all alike: the sum of squares over what was expected. */
export function chiSquared(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Of the normal distribution: exceeded once in a million. */
const ONE_IN_A_MILLION = 4.753;

/** What chance exceeds once in a million tries, by Wilson and Hilferty's approximation. */
export function chiSquaredLimit(categories: number): number {
  const freedom = categories - 1;
  const ninth = 2 / (9 * freedom);
  return freedom * (1 - ninth + ONE_IN_A_MILLION * Math.sqrt(ninth)) ** 3;
}
