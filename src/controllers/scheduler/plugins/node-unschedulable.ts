import { isTolerated } from '../../../machinery/scheduling/tolerations.js';
import { unresolvable, type Plugin } from '../plugin.js';

const CORDONED = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

export const nodeUnschedulable = (): Plugin => ({
  name: 'NodeUnschedulable',
  events: ['node/added', 'node/taints'],
  filter: (_state, { pod }, { node }) =>
    node?.spec?.unschedulable === true && !isTolerated(CORDONED, pod.spec?.tolerations)
      ? unresolvable('node(s) were unschedulable')
      : undefined,
});
