import type { DeepReadonly, KubeObject, Lease } from '../../machinery/types.js';
import type { RequestContext, Strategy } from '../strategy.js';
import { list } from '../validation/formats.js';
import { nameCell } from './cells.js';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
  readonly error?: string;
}
interface ComponentStatus extends KubeObject {
  conditions?: Condition[];
}

/** The other components, by the lease that says they are alive, with the port upstream asks them at. */
const COMPONENTS: readonly (readonly [name: string, lease: string, port: number])[] = [
  ['controller-manager', 'kube-controller-manager', 10257],
  ['scheduler', 'kube-scheduler', 10259],
];

const healthy: Condition = { type: 'Healthy', status: 'True', message: 'ok' };

function isAlive(ctx: RequestContext, name: string): boolean {
  const lease = ctx.objects.get('leases.coordination.k8s.io', { namespace: 'kube-system', name });
  const { renewTime, leaseDurationSeconds = 0 } = (lease as DeepReadonly<Lease> | undefined)?.spec ?? {};
  return renewTime !== undefined && Date.parse(renewTime) + leaseDurationSeconds * 1000 >= ctx.clock.now();
}

const statusOf = (name: string, condition: Condition): KubeObject => ({
  kind: 'ComponentStatus',
  apiVersion: 'v1',
  metadata: { name },
  conditions: [condition],
});

export const componentStatusStrategy: Strategy<ComponentStatus> = {
  /**
   * A store that could not answer would not get this far. Our controller manager serves no port: its lease speaks for
   * it, in the words of a connection that nobody took.
   */
  madeUp: ctx => [
    ...COMPONENTS.map(([name, lease, port]) => {
      if (isAlive(ctx, lease)) return statusOf(name, healthy);
      const address = `127.0.0.1:${port}`;
      const message = `Get "https://${address}/healthz": dial tcp ${address}: connect: connection refused`;
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
