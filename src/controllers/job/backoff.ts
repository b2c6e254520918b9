import { absoluteFailureCount, finishedAt, type ReadonlyPod } from './job-pods.js';

const INITIAL_MS = 10_000;
const MAX_MS = 10 * 60_000;

/** Failures since the last success: how long the next Pod waits grows with them (backoff_utils.go). */
export interface BackoffRecord {
  readonly failures: number;
  /** Milliseconds since the epoch; 0 without a failure. */
  readonly lastFailure: number;
}

export const NO_FAILURES: BackoffRecord = { failures: 0, lastFailure: 0 };

export function nextRecord(
  record: BackoffRecord,
  succeeded: readonly ReadonlyPod[],
  failed: readonly ReadonlyPod[],
): BackoffRecord {
  const successes = succeeded.map(finishedAt);
  const lastSuccess = Math.max(-Infinity, ...successes);
  const after = failed.map(finishedAt).filter(time => time >= lastSuccess);
  const before = successes.length > 0 ? 0 : record.failures;
  const lastFailure = Math.max(successes.length > 0 ? 0 : record.lastFailure, ...after);
  return before + after.length === 0 ? NO_FAILURES : { failures: before + after.length, lastFailure };
}

const remaining = (failures: number, lastFailure: number, nowMs: number): number =>
  failures === 0 ? 0 : Math.max(0, lastFailure + Math.min(MAX_MS, INITIAL_MS * 2 ** (failures - 1)) - nowMs);

/** Milliseconds until the next Pod may be made. */
export const backoffLeft = ({ failures, lastFailure }: BackoffRecord, nowMs: number): number =>
  remaining(failures, lastFailure, nowMs);

export const indexBackoffLeft = (lastFailed: ReadonlyPod | undefined, nowMs: number): number =>
  lastFailed === undefined ? 0 : remaining(absoluteFailureCount(lastFailed) + 1, finishedAt(lastFailed), nowMs);
