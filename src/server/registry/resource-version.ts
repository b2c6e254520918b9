import type { Clock } from '../../machinery/clock.js';
import { formatFieldError, invalid } from '../../machinery/field-error.js';
import { StatusError } from '../../machinery/status.js';
import type { KvStore } from '../../storage/kv-store.js';
import { ROOT } from '../../storage/keys.js';
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

/** Resolves once the store has reached `revision`. @throws StatusError 504 after three seconds */
export async function waitForRevision(
  store: KvStore,
  clock: Clock,
  revision: number,
  signal: AbortSignal,
): Promise<void> {
  if (store.revision() >= revision) return;
  const done = new AbortController();
  const cancelled = AbortSignal.any([signal, done.signal]);
  let reached = false;
  const stop = await store.watch(ROOT, store.revision(), events => {
    if ((events.at(-1)?.revision ?? 0) < revision) return;
    reached = true;
    done.abort();
  });
  try {
    await clock.sleep(FRESHNESS_WAIT_MS, cancelled);
  } catch (error) {
    if (!reached) throw error;
  } finally {
    stop();
  }
  if (store.revision() < revision) throw tooLargeResourceVersionError(revision, store.revision());
}
