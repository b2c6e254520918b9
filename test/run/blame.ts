/** What is known here of tap's tests. */
export interface RunningTest {
  /** Those of it that run. */
  readonly activeSubtests: ReadonlySet<RunningTest>;
  /** Nanoseconds. */
  readonly start: bigint;
  /** It has ended. */
  readonly results?: unknown;
  readonly hookDomain: { readonly onerror: (error: unknown, type: string) => void };
}

/** Of tests that run within each other, the innermost; of several side by side, the one that has begun last. */
function innermost(test: RunningTest): RunningTest {
  const running = [...test.activeSubtests].filter(({ results }) => results === undefined);
  const last = running.sort((a, b) => Number(a.start - b.start)).at(-1);
  return last === undefined ? test : innermost(last);
}

/**
 * An error that nobody catches fails the test that runs, and the rest of the file goes on. After the last test, and where the
 * program has a handler of its own, it is left to Node, which ends the process with it.
 */
export function blameTests(root: RunningTest): void {
  const taken = (error: unknown, type: string): boolean => {
    const others = process.hasUncaughtExceptionCaptureCallback() || process.listenerCount('uncaughtException') > 0;
    if (others || root.results !== undefined) return false;
    innermost(root).hookDomain.onerror(error, type);
    return true;
  };
  // A monitor cannot say that it has dealt with an exception, but who captures the next one can: that is this one.
  process.on('uncaughtExceptionMonitor', (error: unknown, type: string) => {
    if (taken(error, type))
      process.setUncaughtExceptionCaptureCallback(() => process.setUncaughtExceptionCaptureCallback(null));
  });
  // A listener takes every rejection that comes; this leaves some.
  const emit = process.emit.bind(process) as (...args: unknown[]) => boolean;
  const emitOrTake = (event: string, ...args: unknown[]): boolean =>
    event === 'unhandledRejection' && process.listenerCount(event) === 0 ? taken(args[0], event) : emit(event, ...args);
  process.emit = emitOrTake as typeof process.emit;
}
