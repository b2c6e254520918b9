import type { DeepReadonly, Pod, Taint, Toleration } from '../types.js';

type ReadonlyPod = DeepReadonly<Pod>;

/** core/v1/toleration.go ToleratesTaint */
export function tolerates(toleration: DeepReadonly<Toleration>, taint: DeepReadonly<Taint>): boolean {
  if ((toleration.effect ?? '') !== '' && toleration.effect !== taint.effect) return false;
  if ((toleration.key ?? '') !== '' && toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}

export const isTolerated = (
  taint: DeepReadonly<Taint>,
  tolerations: readonly DeepReadonly<Toleration>[] | undefined,
): boolean => (tolerations ?? []).some(toleration => tolerates(toleration, taint));

export const untoleratedTaint = (
  pod: ReadonlyPod,
  taints: readonly DeepReadonly<Taint>[],
): DeepReadonly<Taint> | undefined => taints.find(taint => !isTolerated(taint, pod.spec?.tolerations));

/** Taints that keep new Pods away; the others only make a node less liked. */
export const isHardTaint = (taint: DeepReadonly<Taint>): boolean =>
  taint.effect === 'NoSchedule' || taint.effect === 'NoExecute';
