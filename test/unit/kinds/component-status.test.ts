import t from 'tap';
import { formatMicroTime } from '../../../src/machinery/clock.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { componentStatusStrategy } from '../../../src/kinds/core/component-status.js';
import { fixture } from '../../support/registries.js';

t.test('componentstatuses: our own processes by their Leases, no fixed port of the machine', async t => {
  const at = await fixture({ strategies: { componentstatuses: componentStatusStrategy } });
  t.teardown(() => at.close());
  const leases = at.registry('leases.coordination.k8s.io');
  const hold = (name: string, holderIdentity: string): KubeObject => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'kube-system' },
    spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: formatMicroTime(at.clock.now()) },
  });
  const shown = async (): Promise<string[]> => {
    const { items } = await at.registry('componentstatuses').list(at.context(), '', {});
    return items.map(item => {
      const { metadata, conditions } = item.object as unknown as {
        metadata: { name: string };
        conditions: { status: string; message: string }[];
      };
      return `${metadata.name} ${conditions[0]?.status ?? ''} ${conditions[0]?.message ?? ''}`;
    });
  };
  const nobody = (name: string): string => `${name} False nobody holds the lease kube-system/kube-${name}`;
  t.same(await shown(), [nobody('controller-manager'), nobody('scheduler'), 'etcd-0 True ok']);
  await leases.create(at.context(), 'kube-system', hold('kube-controller-manager', 'us'));
  t.same(await shown(), ['controller-manager True ok', nobody('scheduler'), 'etcd-0 True ok']);
  await leases.create(at.context(), 'kube-system', hold('kube-scheduler', 'a real one'));
  t.same(await shown(), ['controller-manager True ok', 'scheduler True ok', 'etcd-0 True ok']);
  at.clock.step(16_000);
  t.same(await shown(), [nobody('controller-manager'), nobody('scheduler'), 'etcd-0 True ok']);
  for (const name of ['kube-controller-manager', 'kube-scheduler']) {
    const key = { namespace: 'kube-system', name };
    const { metadata } = (await leases.get(at.context(), key, {})).object;
    const again = hold(name, 'us');
    Object.assign(again.metadata, { resourceVersion: metadata.resourceVersion });
    await leases.update(at.context(), key, again, '');
  }
  t.same(await shown(), ['controller-manager True ok', 'scheduler True ok', 'etcd-0 True ok']);
});
