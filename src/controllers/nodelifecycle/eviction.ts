import type { DeepReadonly, Pod, Taint } from '../../machinery/types.js';
import { tolerates } from '../scheduler/predicates.js';

/**
 * Milliseconds until a Pod must leave a node with these NoExecute taints: 0 for at once, undefined for never
 * (tainteviction getMinTolerationTime). The shortest tolerationSeconds of those used counts, from the oldest taint on.
 */
export function evictionDelayMs(
  pod: DeepReadonly<Pod>,
  taints: readonly DeepReadonly<Taint>[],
  nowMs: number,
): number | undefined {
  const tolerations = pod.spec?.tolerations ?? [];
  let due: number | undefined;
  for (const taint of taints) {
    const used = tolerations.filter(toleration => tolerates(toleration, taint));
    if (used.length === 0) return 0;
    const since = taint.timeAdded === undefined ? nowMs : Date.parse(taint.timeAdded);
    for (const { tolerationSeconds } of used)
      if (tolerationSeconds !== undefined)
        due = Math.min(due ?? Infinity, since + Math.max(0, tolerationSeconds) * 1000);
  }
  return due === undefined ? undefined : Math.max(0, due - nowMs);
}
