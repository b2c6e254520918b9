import { RUNS_ANNOTATION } from '../../machinery/runs.js';
import type { DeepReadonly, KubeObject, Lease } from '../../machinery/types.js';
import type { RequestContext, Strategy } from '../../api/strategy.js';
import { list } from '../validation/formats.js';
import { nameCell } from '../cells.js';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
  readonly error?: string;
}
interface ComponentStatus extends KubeObject {
  conditions?: Condition[];
}

/** The other components, by the Leases that say that they are alive: one's own, or that of a process which runs it. */
const COMPONENTS: readonly { readonly name: string; readonly leases: readonly string[]; readonly runs: string }[] = [
  { name: 'controller-manager', leases: ['kube-controller-manager'], runs: '' },
  { name: 'scheduler', leases: ['kube-scheduler', 'kube-controller-manager'], runs: 'scheduler' },
];

const healthy: Condition = { type: 'Healthy', status: 'True', message: 'ok' };

function isAlive(ctx: RequestContext, name: string, runs: string): boolean {
  const found = ctx.objects.get('leases.coordination.k8s.io', { namespace: 'kube-system', name });
  const lease = found as DeepReadonly<Lease> | undefined;
  const { holderIdentity = '', renewTime, leaseDurationSeconds = 0 } = lease?.spec ?? {};
  const running = lease?.metadata.annotations?.[RUNS_ANNOTATION];
  // A real scheduler or controller manager says nothing of what it runs.
  if (runs !== '' && name !== `kube-${runs}` && running?.split(',').includes(runs) !== true) return false;
  const ends = Date.parse(renewTime ?? '') + leaseDurationSeconds * 1000;
  return holderIdentity !== '' && ends >= ctx.clock.now();
}

const statusOf = (name: string, condition: Condition): KubeObject => ({
  kind: 'ComponentStatus',
  apiVersion: 'v1',
  metadata: { name },
  conditions: [condition],
});

export const componentStatusStrategy: Strategy<ComponentStatus> = {
  /**
   * A store that could not answer would not get this far. Nobody is called: upstream's ports are fixed, and on a
   * machine with several clusters some other one's process may listen there.
   */
  madeUp: ctx => [
    ...COMPONENTS.map(({ name, leases, runs }) => {
      if (leases.some(lease => isAlive(ctx, lease, runs))) return statusOf(name, healthy);
      const message = `nobody holds the lease kube-system/${leases[0] ?? ''}`;
      return statusOf(name, { type: 'Healthy', status: 'False', message });
    }),
    statusOf('etcd-0', healthy),
  ],
  cells(component) {
    const condition = list(component.conditions).find(({ type }) => type === 'Healthy');
    const state = condition === undefined ? 'Unknown' : condition.status === 'True' ? 'Healthy' : 'Unhealthy';
    return { cells: [nameCell(component), state, condition?.message ?? '', condition?.error ?? ''] };
  },
};
