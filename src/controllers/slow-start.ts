/**
 * Runs `write` for 1, 2, 4... items at once and stops after the first batch with a failure, so that what cannot work,
 * e.g. for want of quota, is not tried a hundred times (controller_utils.go slowStartBatch).
 */
export async function slowStart<T>(
  items: readonly T[],
  write: (item: T) => Promise<void>,
): Promise<{ done: number; error?: Error }> {
  let done = 0;
  for (let batch = Math.min(items.length, 1); batch > 0; batch = Math.min(2 * batch, items.length - done)) {
    const results = await Promise.allSettled(items.slice(done, done + batch).map(write));
    const failed = results.find(result => result.status === 'rejected');
    done += results.filter(result => result.status === 'fulfilled').length;
    if (failed !== undefined) return { done, error: failed.reason as Error };
  }
  return { done };
}
