import type { DeepReadonly, Pod, Taint } from '../../machinery/types.js';
import { tolerates } from '../../machinery/scheduling/tolerations.js';

/**
 * Milliseconds that a Pod may stay on a node with these NoExecute taints: 0 for none, undefined for ever
 * (tainteviction getMinTolerationTime). Of a taint's tolerations the first counts, of all taints the shortest time.
 */
export function toleratedFor(pod: DeepReadonly<Pod>, taints: readonly DeepReadonly<Taint>[]): number | undefined {
  let least: number | undefined;
  for (const taint of taints) {
    const used = (pod.spec?.tolerations ?? []).find(toleration => tolerates(toleration, taint));
    if (used === undefined) return 0;
    if (used.tolerationSeconds !== undefined)
      least = Math.min(least ?? Infinity, Math.max(0, used.tolerationSeconds) * 1000);
  }
  return least;
}
