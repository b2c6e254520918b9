/** Of two lists that are mostly alike: what lies between the ends that both have. */
export function betweenCommonEnds<T>(
  a: readonly T[],
  b: readonly T[],
  isSame: (a: T, b: T) => boolean = Object.is,
): readonly [a: readonly T[], b: readonly T[]] {
  const most = Math.min(a.length, b.length);
  let start = 0;
  let end = 0;
  while (start < most && isSame(a[start] as T, b[start] as T)) start++;
  while (end < most - start && isSame(a.at(-1 - end) as T, b.at(-1 - end) as T)) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}
