export async function timed<T>(work: () => Promise<T>): Promise<{ took: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { took: performance.now() - start, result };
}

/** Does the work `count` times, with `inFlight` of them at a time; the milliseconds that all took. */
export async function inParallel(
  count: number,
  inFlight: number,
  work: (i: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  return (await timed(() => Promise.all(Array.from({ length: inFlight }, worker)))).took;
}
