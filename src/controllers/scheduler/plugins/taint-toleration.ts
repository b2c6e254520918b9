import { isTolerated, untoleratedTaint } from '../../../machinery/scheduling/tolerations.js';
import type { DeepReadonly, Toleration } from '../../../machinery/types.js';
import { normalizeByMax, unresolvable, type Plugin } from '../plugin.js';

export const taintToleration = (): Plugin<never, { readonly tolerations: readonly DeepReadonly<Toleration>[] }> => ({
  name: 'TaintToleration',
  weight: 3,
  events: ['node/added', 'node/taints'],
  filter: (_state, { pod }, { hardTaints }) =>
    untoleratedTaint(pod, hardTaints) === undefined ? undefined : unresolvable('node(s) had untolerated taint(s)'),
  preScore: ({ pod }) => ({
    tolerations: (pod.spec?.tolerations ?? []).filter(
      ({ effect = '' }) => effect === '' || effect === 'PreferNoSchedule',
    ),
  }),
  score: ({ tolerations }, _pod, { softTaints }) => softTaints.filter(taint => !isTolerated(taint, tolerations)).length,
  normalize: (_state, scores) => normalizeByMax(scores, true),
});
