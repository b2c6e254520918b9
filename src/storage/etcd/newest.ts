/**
 * Asks for something that only grows, once for all who ask while a question is under way. Nobody is given an answer to a
 * question that was asked before theirs: it may be older.
 */
export function createNewest(ask: () => Promise<number>): () => Promise<number> {
  let running: Promise<number> | undefined;
  let next: Promise<number> | undefined;
  const run = (): Promise<number> => (running = ask().finally(() => (running = undefined)));
  const runNext = (): Promise<number> => {
    next = undefined;
    return run();
  };
  return () => {
    if (running === undefined) return run();
    return (next ??= running.then(runNext, runNext));
  };
}
