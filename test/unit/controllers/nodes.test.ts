import t from 'tap';
import { NODES } from '../../../src/client/resources.js';
import { createCidrSet } from '../../../src/controllers/nodeipam/cidr-set.js';
import { nodeLifecycleController } from '../../../src/controllers/nodelifecycle/controller.js';
import { silentConditions, wantedTaints } from '../../../src/controllers/nodelifecycle/health.js';
import { toleratedFor } from '../../../src/controllers/tainteviction/tolerance.js';
import type { Node } from '../../../src/machinery/types.js';
import { NOW, pod, node } from '../../support/controlled-objects.js';
import { createFakeCluster } from '../../support/fake-cluster.js';

t.test('node lifecycle', async t => {
  const taint = (key: string): { key: string; effect: string; timeAdded: string } => ({
    key,
    effect: 'NoExecute',
    timeAdded: NOW,
  });
  const rows = [
    { name: 'no toleration: at once', tolerations: [], expect: 0 },
    {
      name: 'for a while',
      tolerations: [{ key: 'k', operator: 'Exists', tolerationSeconds: 30 }],
      expect: 30_000,
    },
    { name: 'for ever', tolerations: [{ operator: 'Exists' }], expect: undefined },
  ];
  for (const row of rows)
    t.equal(
      toleratedFor(pod({ name: 'p', extra: { tolerations: row.tolerations } }), [taint('k') as never]),
      row.expect,
      row.name,
    );
  t.same(
    wantedTaints(node('a', { ready: 'Unknown' }), NOW)?.map(x => [x.key, x.effect]),
    [
      ['node.kubernetes.io/unreachable', 'NoSchedule'],
      ['node.kubernetes.io/unreachable', 'NoExecute'],
    ],
  );
  t.equal(wantedTaints(node('a'), NOW), undefined, 'nothing to change');
  t.same(
    wantedTaints(
      node('a', {
        taints: [
          { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
          { key: 'mine', effect: 'NoSchedule' },
        ],
      }),
      NOW,
    )?.map(x => x.key),
    ['mine'],
  );
  t.match(silentConditions(node('a'), NOW)?.[0], { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' });
});

t.test('pod ranges', async t => {
  const set = createCidrSet('10.244.0.0/16', 24);
  set.occupy('10.244.0.0/24');
  t.equal(set.allocate(), '10.244.1.0/24');
  set.release('10.244.0.0/24');
  t.equal(set.allocate(), '10.244.0.0/24');
  t.notOk(set.occupy('10.99.0.0/24'));
  const small = createCidrSet('10.0.0.0/24', 24);
  t.equal(small.allocate(), '10.0.0.0/24');
  t.equal(small.allocate(), undefined);
  t.throws(() => createCidrSet('nonsense', 24), RangeError);
});

t.test('silence is measured by the time that passes, and not by the clock on the wall', async t => {
  const cluster = createFakeCluster();
  cluster.load(NODES, node('a'));
  const { reconcile } = nodeLifecycleController.build(cluster.context({ nodeMonitorGracePeriodMs: 40_000 }));
  const ready = async (): Promise<string | undefined> => {
    await reconcile('a');
    return (cluster.get(NODES, 'a') as Node).status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  };
  t.equal(await ready(), 'True');
  cluster.clock.jump(3_600_000);
  t.equal(await ready(), 'True', 'set an hour ahead');
  cluster.clock.jump(-7_200_000);
  cluster.clock.step(41_000);
  t.equal(await ready(), 'Unknown', 'set back, and silent for longer than the grace period');
});
