import { setMaxListeners } from 'node:events';

/** A part of the cluster that runs in this process, beside others. */
export interface RunningPart {
  /** Resolves when it has ended because it was asked to, rejects with what ended it otherwise. */
  readonly ended: Promise<void>;
  /** Ends it and waits until nothing of it is left. */
  close(): Promise<void>;
}

/** Runs `work` until its signal is aborted. */
export function startPart(work: (signal: AbortSignal) => Promise<void>): RunningPart {
  const stopping = new AbortController();
  // Every request and sleep of the part listens to it: many listeners are no leak.
  setMaxListeners(0, stopping.signal);
  const ended = work(stopping.signal);
  // Whoever waits for it is told; nobody has to.
  ended.catch(() => undefined);
  return {
    ended,
    async close() {
      stopping.abort(new Error('the part is stopped'));
      await ended.catch(() => undefined);
    },
  };
}
