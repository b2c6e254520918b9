import { given } from '../../support/steps.js';
import t from 'tap';
import { formatMicroTime } from '../../../src/machinery/clock.js';
import { RUNS_ANNOTATION } from '../../../src/machinery/runs.js';
import type { KubeObject } from '../../../src/machinery/types.js';
import { componentStatusStrategy } from '../../../src/kinds/core/component-status.js';
import { customResourceDefinitionStrategy } from '../../../src/kinds/apiextensions/custom-resource-definition.js';
import { fixture } from '../../support/registries.js';

t.test('componentstatuses: our own processes by their Leases, no fixed port of the machine', async t => {
  const at = await fixture({ strategies: { componentstatuses: componentStatusStrategy } });
  t.teardown(() => at.close());
  const leases = at.registry('leases.coordination.k8s.io');
  const hold = (name: string, holderIdentity: string, annotations: Record<string, string> = {}): KubeObject => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'kube-system', annotations },
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
  await leases.create(at.context(), 'kube-system', hold('kube-controller-manager', 'us', { [RUNS_ANNOTATION]: 'job' }));
  t.same(await shown(), ['controller-manager True ok', nobody('scheduler'), 'etcd-0 True ok']);
  await leases.create(at.context(), 'kube-system', hold('kube-scheduler', 'a real one'));
  t.same(await shown(), ['controller-manager True ok', 'scheduler True ok', 'etcd-0 True ok']);
  at.clock.step(16_000);
  t.same(await shown(), [nobody('controller-manager'), nobody('scheduler'), 'etcd-0 True ok']);
  const key = { namespace: 'kube-system', name: 'kube-controller-manager' };
  const { metadata } = (await leases.get(at.context(), key, {})).object;
  const again = hold(key.name, 'us', { [RUNS_ANNOTATION]: 'job,scheduler' });
  Object.assign(again.metadata, { resourceVersion: metadata.resourceVersion });
  await leases.update(at.context(), key, again, '');
  t.same(await shown(), ['controller-manager True ok', 'scheduler True ok', 'etcd-0 True ok']);
});

t.test('a CustomResourceDefinition is refused by name, not taken and left to lie', async t => {
  const id = 'customresourcedefinitions.apiextensions.k8s.io';
  const at = await fixture({ strategies: { [id]: customResourceDefinitionStrategy } });
  t.teardown(() => at.close());
  const registry = at.registry(id);
  const definition = (): KubeObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
  });
  const refused = {
    code: 405,
    reason: 'MethodNotAllowed',
    message: `${id} "widgets.example.com" cannot be created: custom resources are not served by this server`,
  };
  await t.rejects(registry.create(at.context(), '', definition()), refused);
  await t.rejects(registry.create(at.context({ dryRun: true }), '', definition()), refused);
  const raw = Buffer.from(JSON.stringify(definition()));
  const apply = {
    type: 'apply',
    decode: () => given({ patch: definition(), duplicateKeys: [] }),
    raw,
    force: false,
  } as const;
  await t.rejects(registry.patch(at.context(), { namespace: '', name: 'widgets.example.com' }, apply, ''), refused);
  t.same((await registry.list(at.context(), '', {})).items, []);
});
