import type { DeepReadonly, Pod, Taint, Toleration } from '../types.js';

/** core/v1/toleration.go ToleratesTaint */
export function tolerates(toleration: DeepReadonly<Toleration>, taint: DeepReadonly<Taint>): boolean {
  if ((toleration.effect ?? '') !== '' && toleration.effect !== taint.effect) return false;
  if ((toleration.key ?? '') !== '' && toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}

/** The first of these taints that a Pod does not tolerate. */
export const untoleratedTaint = (
  pod: DeepReadonly<Pod>,
  taints: readonly DeepReadonly<Taint>[],
): DeepReadonly<Taint> | undefined =>
  taints.find(taint => !(pod.spec?.tolerations ?? []).some(toleration => tolerates(toleration, taint)));
