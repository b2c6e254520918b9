import type { RequestContext } from '../../../api/strategy.js';
import type { Hook } from './compile.js';
import { CallingError, RejectionError } from './hook-error.js';
import type { HookMetrics, Outcome } from './metrics.js';

const ALLOWED: Outcome = { rejected: false, code: 200, error: 'no_error' };

function outcomeOf(error: unknown, { ignoresFailures }: Hook): Outcome {
  if (error instanceof CallingError)
    return { rejected: !ignoresFailures, code: error.code, error: 'calling_webhook_error' };
  if (error instanceof RejectionError) return { rejected: true, code: error.status.code, error: 'no_error' };
  return { rejected: true, code: 0, error: 'apiserver_internal_error' };
}

export interface Judged<T> {
  /** undefined: the webhook has failed, and that does not matter. */
  readonly result: T | undefined;
  /** Whether it has. */
  readonly failedOpen: boolean;
}

/**
 * Asks a webhook, counts what comes of it, and does what its failure policy says.
 * @throws StatusError that ends the request
 */
export async function judged<T>(
  hook: Hook,
  type: 'admit' | 'validating',
  operation: string,
  { clock, signal }: RequestContext,
  metrics: HookMetrics,
  ask: () => Promise<T>,
): Promise<Judged<T>> {
  const started = clock.monotonic();
  const count = (outcome: Outcome): void =>
    metrics.asked({ name: hook.name, type, operation }, (clock.monotonic() - started) / 1000, outcome);
  try {
    const result = await ask();
    count(ALLOWED);
    return { result, failedOpen: false };
  } catch (error) {
    // The client has gone, or its time is up: nobody's fault.
    if (signal.aborted) throw error;
    count(outcomeOf(error, hook));
    if (error instanceof RejectionError) throw error.status;
    if (!(error instanceof CallingError)) throw error;
    if (!hook.ignoresFailures) throw error.status();
    metrics.failedOpen(hook.name, type);
    return { result: undefined, failedOpen: true };
  }
}
