import type { AutoscalerSpec } from './status.js';

/** What an autoscaler has found and done, as far as it matters for what it may do next. */
export interface History {
  /** What metrics have asked for. */
  readonly recommendations: { atMs: number; replicas: number }[];
  readonly ups: Change[];
  readonly downs: Change[];
}

interface Change {
  atMs: number;
  replicas: number;
}

export type Rules = NonNullable<NonNullable<AutoscalerSpec['behavior']>['scaleUp']>;

export const newHistory = (nowMs: number, replicas: number): History => ({
  recommendations: [{ atMs: nowMs, replicas }],
  ups: [],
  downs: [],
});

/** In place of one that nobody needs any more, as the list would grow for ever. */
function put<T extends { readonly atMs: number }>(list: T[], entry: T, isOld: (one: T) => boolean): void {
  let at = -1;
  list.forEach((one, i) => {
    if (isOld(one)) at = i;
  });
  if (at < 0) list.push(entry);
  else list[at] = entry;
}

export function recommend(history: History, entry: { atMs: number; replicas: number }, olderThanMs: number): void {
  put(history.recommendations, entry, ({ atMs }) => atMs < olderThanMs);
}

const longestPeriodMs = ({ policies = [] }: Rules): number =>
  policies.reduce((longest, { periodSeconds }) => Math.max(longest, periodSeconds * 1000), 0);

/** A change that has been made; remembered where rules could ask for it. */
export function remember(
  history: History,
  behavior: AutoscalerSpec['behavior'],
  from: number,
  to: number,
  nowMs: number,
): void {
  if (behavior === undefined) return;
  const up = to > from;
  const cutoff = nowMs - longestPeriodMs((up ? behavior.scaleUp : behavior.scaleDown) ?? {});
  put(up ? history.ups : history.downs, { atMs: nowMs, replicas: Math.abs(to - from) }, ({ atMs }) => atMs < cutoff);
}

/** How many replicas came or went within a time that has just passed. */
export const changedWithin = (changes: readonly Change[], periodSeconds: number, nowMs: number): number =>
  changes.reduce((sum, { atMs, replicas }) => (atMs > nowMs - periodSeconds * 1000 ? sum + replicas : sum), 0);
