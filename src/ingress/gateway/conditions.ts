import type { Condition } from './types.js';

/** What is to be said of one thing; when it was found out is added where it is written. */
export type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

export const holds = (type: string, reason = type, message = ''): Verdict => ({
  type,
  status: 'True',
  reason,
  message,
});
export const fails = (type: string, reason: string, message: string): Verdict => ({
  ...{ type, status: 'False', reason, message },
});

/** Conditions as they are written: a time is that of the last change of a status. Those of others stay. */
export function writtenConditions(
  before: readonly Condition[],
  verdicts: readonly Verdict[],
  generation: number | undefined,
  now: string,
): Condition[] {
  const ours = new Set(verdicts.map(({ type }) => type));
  const written = verdicts.map(verdict => {
    const old = before.find(({ type }) => type === verdict.type);
    const since = old?.status === verdict.status ? (old.lastTransitionTime ?? now) : now;
    return {
      ...verdict,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastTransitionTime: since,
    };
  });
  return [...written, ...before.filter(({ type }) => !ours.has(type))];
}
