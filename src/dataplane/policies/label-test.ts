import type { Labels } from '../../machinery/labels.js';
import { isDue, type Pace } from '../../machinery/pace.js';
import type { Steps } from '../../machinery/steps.js';
import type { DeepReadonly, LabelSelector } from '../../machinery/types.js';

export interface LabelTest {
  /** Everything passes. */
  readonly empty: boolean;
  matches(labels: Labels | undefined): boolean;
}

type Requirement = NonNullable<DeepReadonly<LabelSelector>['matchExpressions']>[number];
type Test = (labels: Labels) => boolean;

const NO_LABELS: Labels = {};
/** Sets longer than this are looked up by hash. */
const FEW = 8;

/**
 * A selector that the API server has checked (machinery/labels checks, which takes long: it may be as long as an object may
 * be, and a policy may have thousands). What it is made of stays where it is; only long sets are copied, with rests.
 * @throws TypeError for an operator that is not known
 */
export function* labelTest(selector: DeepReadonly<LabelSelector>, pace: Pace): Steps<LabelTest> {
  const { matchLabels = NO_LABELS, matchExpressions = [] } = selector;
  const keys = Object.keys(matchLabels);
  const tests: Test[] = [];
  for (const requirement of matchExpressions) {
    if (isDue(pace)) yield;
    tests.push(yield* expressionTest(requirement, pace));
  }
  const hasLabels: Test = labels => keys.every(key => valueOf(labels, key) === matchLabels[key]);
  const matches: Test =
    tests.length === 0 ? hasLabels : labels => hasLabels(labels) && tests.every(test => test(labels));
  return { empty: keys.length === 0 && tests.length === 0, matches: labels => matches(labels ?? NO_LABELS) };
}

const valueOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

function* expressionTest({ key, operator, values = [] }: Requirement, pace: Pace): Steps<Test> {
  switch (operator) {
    case 'Exists':
      return labels => Object.hasOwn(labels, key);
    case 'DoesNotExist':
      return labels => !Object.hasOwn(labels, key);
    case 'In':
    case 'NotIn': {
      const wanted = operator === 'In';
      const isOneOf = yield* membership(values, pace);
      return labels => (Object.hasOwn(labels, key) && isOneOf(labels[key] ?? '')) === wanted;
    }
    default:
      throw new TypeError(`${JSON.stringify(operator)} is no operator of label selectors`);
  }
}

function* membership(values: readonly string[], pace: Pace): Steps<(value: string) => boolean> {
  if (values.length <= FEW) return value => values.includes(value);
  const known = new Set<string>();
  for (const value of values) {
    if (isDue(pace)) yield;
    known.add(value);
  }
  return value => known.has(value);
}
