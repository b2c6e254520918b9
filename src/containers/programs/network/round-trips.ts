/** Of milliseconds; all 0 of none. */
export function statistics(times: readonly number[]): {
  readonly min: number;
  readonly average: number;
  readonly max: number;
  readonly deviation: number;
} {
  if (times.length === 0) return { min: 0, average: 0, max: 0, deviation: 0 };
  let [min, max, sum, squares] = [Infinity, 0, 0, 0];
  for (const time of times) {
    min = Math.min(min, time);
    max = Math.max(max, time);
    sum += time;
    squares += time * time;
  }
  const average = sum / times.length;
  return { min, average, max, deviation: Math.sqrt(Math.max(0, squares / times.length - average * average)) };
}
