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

/** The other components, by the Leases that say that they are alive. */
const COMPONENTS: readonly { readonly name: string; readonly lease: string }[] = [
  { name: 'controller-manager', lease: 'kube-controller-manager' },
  { name: 'scheduler', lease: 'kube-scheduler' },
];

const healthy: Condition = { type: 'Healthy', status: 'True', message: 'ok' };

function isAlive(ctx: RequestContext, name: string): boolean {
  const found = ctx.objects.get('leases.coordination.k8s.io', { namespace: 'kube-system', name });
  const lease = found as DeepReadonly<Lease> | undefined;
  const { holderIdentity = '', renewTime, leaseDurationSeconds = 0 } = lease?.spec ?? {};
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
    ...COMPONENTS.map(({ name, lease }) => {
      if (isAlive(ctx, lease)) return statusOf(name, healthy);
      const message = `nobody holds the lease kube-system/${lease}`;
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
