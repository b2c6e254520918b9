import { formatFieldError, invalid } from '../../machinery/field-error.js';
import { StatusError } from '../../machinery/status.js';
import type { Waiter } from '../../machinery/waiter.js';
import type { Scope } from './scope.js';
import { parseUint64 } from './strconv.js';

/** How long a read waits for a revision that this server has not seen yet. */
const FRESHNESS_WAIT_MS = 3000;

/**
 * "" is 0. @throws Error with upstream's text: `resourceVersion: Invalid value: "abc": strconv.ParseUint: ...`; which
 * Status it becomes depends on the request.
 */
export function parseResourceVersion(text: string): number {
  if (text === '') return 0;
  try {
    return parseUint64(text);
  } catch (error) {
    throw new Error(formatFieldError(invalid('resourceVersion', text, (error as Error).message)), { cause: error });
  }
}

export const tooLargeResourceVersionError = (asked: number, current: number): StatusError =>
  new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });

/** Resolves once this server has seen `revision`. @throws StatusError 504 after three seconds */
export async function waitForRevision(scope: Scope, revision: number, waiter: Waiter): Promise<void> {
  const { store, progress, clock } = scope;
  if (store.observed() >= revision) return;
  const done = new AbortController();
  const cancelled = AbortSignal.any([waiter.signal, done.signal]);
  try {
    await Promise.race([progress.reached(revision, cancelled), clock.sleep(FRESHNESS_WAIT_MS, cancelled)]);
  } finally {
    done.abort();
  }
  if (store.observed() < revision) throw tooLargeResourceVersionError(revision, store.observed());
}
