import t from 'tap';
import type { Pod } from '../../../src/machinery/types.js';
import type { PodMetrics } from '../../../src/controllers/horizontalpodautoscaling/pod-metrics.js';
import {
  averageReplicas,
  sharedReplicas,
  totalReplicas,
  utilizationReplicas,
} from '../../../src/controllers/horizontalpodautoscaling/replicas.js';

/** Rows of the kind that upstream's replica_calculator_test.go has: what is asked for stands in thousandths. */

const NOW = Date.parse('2026-01-01T12:00:00Z');
const at = (minutesAgo: number): string => new Date(NOW - minutesAgo * 60_000).toISOString();

interface Shape {
  readonly request?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  /** Minutes ago. */
  readonly started?: number;
  readonly changed?: number;
  readonly deleted?: boolean;
}

const pod = (name: string, { request, phase, ready, started, changed, deleted }: Shape = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', ...(deleted === true ? { deletionTimestamp: at(0) } : {}) },
  spec: {
    containers: [{ name: 'c', ...(request === '' ? {} : { resources: { requests: { cpu: request ?? '1' } } }) }],
  },
  status: {
    phase: phase ?? 'Running',
    startTime: at(started ?? 60),
    conditions: [{ type: 'Ready', status: ready === false ? 'False' : 'True', lastTransitionTime: at(changed ?? 59) }],
  },
});

interface Case {
  readonly name: string;
  readonly pods: readonly Shape[];
  /** Of the first Pods. */
  readonly usage: readonly number[];
  readonly current: number;
  readonly target: number;
  readonly expect: unknown;
}

const metricsOf = (usage: readonly number[]): PodMetrics =>
  new Map(usage.map((milli, i) => [`p${i}`, { atMs: NOW, windowMs: 60_000, milli }]));
const tolerances = { down: 0.1, up: 0.1 };
const times = (count: number, shape: Shape = {}): Shape[] => Array.from({ length: count }, () => shape);
const outcome = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as Error).message;
  }
};

const UTILIZATION: readonly Case[] = [
  {
    name: 'up',
    pods: times(3),
    usage: [300, 500, 700],
    current: 3,
    target: 30,
    expect: { replicas: 5, utilization: 50, usage: 500 },
  },
  {
    name: 'up: an unready Pod counts as idle',
    pods: [{ ready: false, started: 2, changed: 2 }, {}, {}],
    usage: [300, 500, 700],
    current: 3,
    target: 30,
    expect: { replicas: 4, utilization: 60, usage: 600 },
  },
  {
    name: 'up: Pods that start and are hot do not count',
    pods: [{ started: 0.5, changed: 0.5 }, { ready: true }, { started: 0.5, changed: 0.5 }],
    usage: [500, 500, 700],
    current: 3,
    target: 30,
    expect: { replicas: 3, utilization: 50, usage: 500 },
  },
  {
    name: 'up: a pending Pod',
    pods: [{}, {}, { phase: 'Pending' }],
    usage: [500, 500],
    current: 3,
    target: 30,
    expect: { replicas: 3, utilization: 50, usage: 500 },
  },
  {
    name: 'up: a Pod that ends, and one that has failed',
    pods: [{}, {}, { deleted: true }, { phase: 'Failed' }],
    usage: [500, 700],
    current: 2,
    target: 50,
    expect: { replicas: 3, utilization: 60, usage: 600 },
  },
  {
    name: 'down',
    pods: times(5),
    usage: [100, 300, 500, 250, 250],
    current: 5,
    target: 50,
    expect: { replicas: 3, utilization: 28, usage: 280 },
  },
  {
    name: 'down: a Pod without metrics counts as full',
    pods: times(3),
    usage: [200, 200],
    current: 3,
    target: 60,
    expect: { replicas: 3, utilization: 20, usage: 200 },
  },
  {
    name: 'up: a Pod without metrics counts as idle',
    pods: times(3),
    usage: [900, 900],
    current: 3,
    target: 30,
    expect: { replicas: 6, utilization: 90, usage: 900 },
  },
  {
    name: 'within tolerance',
    pods: times(3),
    usage: [1010, 1030, 1020],
    current: 3,
    target: 100,
    expect: { replicas: 3, utilization: 102, usage: 1020 },
  },
  {
    name: 'a Pod that has been unready since long counts',
    pods: [{ ready: false, started: 60, changed: 30 }, {}, {}],
    usage: [600, 600, 600],
    current: 3,
    target: 30,
    expect: { replicas: 6, utilization: 60, usage: 600 },
  },
  {
    name: 'nothing requested',
    pods: [{ request: '' }],
    usage: [100],
    current: 1,
    target: 50,
    expect: 'missing request for cpu in container c of Pod p0',
  },
  {
    name: 'no Pods',
    pods: [],
    usage: [100],
    current: 1,
    target: 50,
    expect: 'no pods returned by selector while calculating replica count',
  },
  {
    name: 'all unready',
    pods: times(2, { ready: false, started: 1, changed: 1 }),
    usage: [100, 100],
    current: 2,
    target: 50,
    expect: 'did not receive metrics for targeted pods (pods might be unready)',
  },
];

t.test('replicas by utilization', async t => {
  for (const { name, pods, usage, current, target, expect } of UTILIZATION)
    t.strictSame(
      outcome(() =>
        utilizationReplicas(metricsOf(usage), {
          currentReplicas: current,
          tolerances,
          pods: pods.map((shape, i) => pod(`p${i}`, shape)),
          nowMs: NOW,
          resource: 'cpu',
          container: '',
          target,
        }),
      ),
      expect,
      name,
    );
});

t.test('a container that is not there', async t => {
  const asked = { currentReplicas: 1, tolerances, pods: [pod('p0')], nowMs: NOW, resource: 'cpu', target: 50 };
  t.equal(
    outcome(() => utilizationReplicas(metricsOf([100]), { ...asked, container: 'other' })),
    'container other not found in Pod p0',
  );
  t.strictSame(utilizationReplicas(metricsOf([100]), { ...asked, container: 'c' }), {
    replicas: 1,
    utilization: 10,
    usage: 100,
  });
});

const AVERAGE: readonly Case[] = [
  {
    name: 'up',
    pods: times(3),
    usage: [20_000, 10_000, 30_000],
    current: 3,
    target: 15_000,
    expect: { replicas: 4, usage: 20_000 },
  },
  {
    name: 'down',
    pods: times(5),
    usage: [12_000, 12_000, 12_000, 12_000, 12_000],
    current: 5,
    target: 20_000,
    expect: { replicas: 3, usage: 12_000 },
  },
  {
    name: 'missing, down: it counts as the target',
    pods: times(3),
    usage: [5_000, 5_000],
    current: 3,
    target: 10_000,
    expect: { replicas: 2, usage: 5_000 },
  },
  {
    name: 'unready Pods count: it is no processor',
    pods: times(2, { ready: false }),
    usage: [20_000, 20_000],
    current: 2,
    target: 10_000,
    expect: { replicas: 4, usage: 20_000 },
  },
];

t.test('replicas by an average amount', async t => {
  for (const { name, pods, usage, current, target, expect } of AVERAGE)
    t.strictSame(
      outcome(() =>
        averageReplicas(metricsOf(usage), {
          currentReplicas: current,
          tolerances,
          pods: pods.map((shape, i) => pod(`p${i}`, shape)),
          nowMs: NOW,
          resource: '',
          target,
        }),
      ),
      expect,
      name,
    );
});

t.test('replicas by one amount for all', async t => {
  const asked = { currentReplicas: 3, tolerances, pods: times(3).map((_, i) => pod(`p${i}`)), nowMs: NOW };
  t.strictSame(totalReplicas(20_000, { ...asked, target: 10_000 }), { replicas: 6, usage: 20_000 }, 'up');
  t.strictSame(totalReplicas(10_500, { ...asked, target: 10_000 }), { replicas: 3, usage: 10_500 }, 'within tolerance');
  t.strictSame(
    totalReplicas(2_500, { ...asked, currentReplicas: 0, target: 1_000 }),
    { replicas: 3, usage: 2_500 },
    'from zero',
  );
  t.strictSame(
    sharedReplicas(40_000, { statusReplicas: 4, tolerances, target: 5_000 }),
    { replicas: 8, usage: 10_000 },
    'shared',
  );
  t.strictSame(
    sharedReplicas(20_500, { statusReplicas: 4, tolerances, target: 5_000 }),
    { replicas: 4, usage: 5_125 },
    'shared, within tolerance',
  );
});
