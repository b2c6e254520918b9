import t from 'tap';
import { newHistory, remember, type History } from '../../../src/controllers/horizontalpodautoscaling/history.js';
import { normalize, type Normalizing } from '../../../src/controllers/horizontalpodautoscaling/normalize.js';

const NOW = 10_000_000;
type Behavior = Normalizing['behavior'];
type Rules = NonNullable<NonNullable<Behavior>['scaleUp']>;

/** As the API server fills it in. */
const UP: Rules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const DOWN: Rules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };
const rules = (scaleUp: Partial<Rules> = {}, scaleDown: Partial<Rules> = {}): Behavior => ({
  scaleUp: { ...UP, ...scaleUp },
  scaleDown: { ...DOWN, ...scaleDown },
});

interface Case {
  readonly name: string;
  readonly current: number;
  readonly desired: number;
  readonly min?: number;
  readonly max?: number;
  readonly behavior?: Behavior;
  /** Seconds ago, and what was asked for. */
  readonly asked?: readonly (readonly [number, number])[];
  /** Seconds ago, and how many came (or went). */
  readonly changes?: readonly (readonly [number, number])[];
  /** Replicas, reasons of AbleToScale and ScalingLimited, status of the latter. */
  readonly expect: readonly [number, string, string, string];
}

const CASES: readonly Case[] = [
  {
    name: 'as many as asked for',
    current: 3,
    desired: 5,
    expect: [5, 'ReadyForNewScale', 'DesiredWithinRange', 'False'],
  },
  {
    name: 'more than there may be',
    current: 3,
    desired: 12,
    max: 5,
    expect: [5, 'ReadyForNewScale', 'TooManyReplicas', 'True'],
  },
  {
    name: 'less than there may be',
    current: 3,
    desired: 0,
    min: 2,
    expect: [2, 'ReadyForNewScale', 'TooFewReplicas', 'True'],
  },
  {
    name: 'no faster than twice',
    current: 3,
    desired: 12,
    max: 20,
    expect: [6, 'ReadyForNewScale', 'ScaleUpLimit', 'True'],
  },
  {
    name: 'but to four in any case',
    current: 1,
    desired: 12,
    max: 20,
    expect: [4, 'ReadyForNewScale', 'ScaleUpLimit', 'True'],
  },
  {
    name: 'what was asked for lately stays',
    current: 8,
    desired: 2,
    asked: [[200, 8]],
    expect: [8, 'ScaleDownStabilized', 'DesiredWithinRange', 'False'],
  },
  {
    name: 'and is forgotten after a while',
    current: 8,
    desired: 2,
    asked: [[400, 8]],
    expect: [2, 'ReadyForNewScale', 'DesiredWithinRange', 'False'],
  },
  {
    name: 'rules: four Pods or twice, whichever is more',
    current: 3,
    desired: 50,
    max: 100,
    behavior: rules(),
    expect: [7, 'ReadyForNewScale', 'ScaleUpLimit', 'True'],
  },
  {
    name: 'rules: whichever is less',
    current: 3,
    desired: 50,
    max: 100,
    behavior: rules({ selectPolicy: 'Min' }),
    expect: [6, 'ReadyForNewScale', 'ScaleUpLimit', 'True'],
  },
  {
    name: 'rules: disabled',
    current: 3,
    desired: 50,
    max: 100,
    behavior: rules({ selectPolicy: 'Disabled' }),
    expect: [3, 'ReadyForNewScale', 'ScaleUpLimit', 'True'],
  },
  {
    name: 'rules: what has come in the period counts',
    current: 7,
    desired: 50,
    max: 100,
    behavior: rules({ policies: [{ type: 'Pods', value: 4, periodSeconds: 60 }] }),
    changes: [[30, 3]],
    expect: [8, 'ReadyForNewScale', 'ScaleUpLimit', 'True'],
  },
  {
    name: 'rules: what came before does not',
    current: 7,
    desired: 50,
    max: 100,
    behavior: rules({ policies: [{ type: 'Pods', value: 4, periodSeconds: 60 }] }),
    changes: [[90, 3]],
    expect: [11, 'ReadyForNewScale', 'ScaleUpLimit', 'True'],
  },
  {
    name: 'rules: up waits for the lowest',
    current: 3,
    desired: 10,
    behavior: rules({ stabilizationWindowSeconds: 60 }),
    asked: [[30, 4]],
    expect: [4, 'ScaleUpStabilized', 'DesiredWithinRange', 'False'],
  },
  {
    name: 'rules: down waits for the highest',
    current: 10,
    desired: 3,
    behavior: rules(),
    asked: [[100, 7]],
    expect: [7, 'ScaleDownStabilized', 'DesiredWithinRange', 'False'],
  },
  {
    name: 'rules: down by two at a time',
    current: 10,
    desired: 3,
    behavior: rules({}, { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }] }),
    expect: [8, 'ReadyForNewScale', 'ScaleDownLimit', 'True'],
  },
  {
    name: 'rules: down by the tenth, which is at least one',
    current: 10,
    desired: 3,
    behavior: rules(
      {},
      { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 15, periodSeconds: 60 }] },
    ),
    expect: [8, 'ReadyForNewScale', 'ScaleDownLimit', 'True'],
  },
  {
    name: 'rules: not below the least',
    current: 4,
    desired: 0,
    min: 2,
    behavior: rules({}, { stabilizationWindowSeconds: 0 }),
    expect: [2, 'ReadyForNewScale', 'TooFewReplicas', 'True'],
  },
];

t.test('what is made of the number that metrics ask for', async t => {
  for (const { name, current, desired, min = 1, max = 10, behavior, asked = [], changes = [], expect } of CASES) {
    const history: History = newHistory(NOW - 3_600_000, current);
    for (const [ago, replicas] of asked) history.recommendations.push({ atMs: NOW - ago * 1000, replicas });
    for (const [ago, replicas] of changes) history.ups.push({ atMs: NOW - ago * 1000, replicas });
    const { replicas, conditions } = normalize({ history, behavior, min, max, current, desired, nowMs: NOW });
    const [able, limited] = conditions;
    t.strictSame([replicas, able?.reason, limited?.reason, limited?.status], expect, name);
  }
});

t.test('the history does not grow', async t => {
  const history = newHistory(0, 1);
  const behavior = rules();
  for (let i = 1; i <= 1_000; i++) {
    const nowMs = i * 15_000;
    normalize({ history, behavior, min: 1, max: 10, current: 3, desired: 3, nowMs });
    remember(history, behavior, 3, i % 2 === 0 ? 4 : 2, nowMs);
  }
  t.ok(history.recommendations.length <= 22, `${history.recommendations.length} recommendations`);
  t.ok(
    history.ups.length <= 3 && history.downs.length <= 3,
    `${history.ups.length} and ${history.downs.length} changes`,
  );
});
