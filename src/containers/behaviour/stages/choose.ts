import { parseDuration } from '../../../machinery/duration.js';
import { runJq } from '../../../machinery/jq/run.js';
import type { From, Requirement, Stage } from './types.js';

/** An object as its Stages see it: JSON. */
export interface StageObject {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
}

export const matchesStage = ({ labels, annotations, requirements }: Stage, object: StageObject): boolean =>
  hasAll(object.metadata.labels, labels) &&
  hasAll(object.metadata.annotations, annotations) &&
  requirements.every(requirement => holds(requirement, object));

const hasAll = (have: Readonly<Record<string, string>> | undefined, want: Readonly<Record<string, string>>): boolean =>
  Object.entries(want).every(([key, value]) => have?.[key] === value);

function holds({ key, operator, values }: Requirement, object: StageObject): boolean {
  const found = runJq(key, object) ?? [];
  switch (operator) {
    case 'Exists':
      return found.some(value => value !== null);
    case 'DoesNotExist':
      return found.every(value => value === null);
    case 'In':
      return found.some(value => isAmong(value, values));
    case 'NotIn':
      return !found.some(value => isAmong(value, values));
  }
}

const isAmong = (value: unknown, values: readonly string[]): boolean =>
  (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') &&
  values.includes(String(value));

/**
 * One of the Stages that an object is as they say, by chance and weight: where any has a weight, those with none are left out.
 * `chance` in [0, 1). Undefined: there is none.
 */
export function chooseStage(stages: readonly Stage[], object: StageObject, chance: () => number): Stage | undefined {
  const matching = stages.filter(stage => matchesStage(stage, object));
  if (matching.length < 2) return matching[0];
  const weights = matching.map(({ weight }) => weightOf(weight, object));
  const total = weights.reduce<number>((sum, weight) => sum + (weight ?? 0), 0);
  if (total === 0) {
    const weighed = matching.filter((_, i) => weights[i] !== undefined);
    const among = weighed.length > 0 ? weighed : matching;
    return among[Math.floor(chance() * among.length)];
  }
  let left = chance() * total;
  return matching.find((_, i) => (left -= weights[i] ?? 0) < 0);
}

/** Undefined: its expression gives what is no weight. */
function weightOf({ value = 0, expression }: From<number>, object: StageObject): number | undefined {
  if (expression === undefined) return value;
  const [found] = runJq(expression, object) ?? [];
  if (typeof found === 'number') return Math.max(0, Math.trunc(found));
  if (typeof found !== 'string') return value;
  return /^\d{1,15}$/.test(found) ? Number(found) : undefined;
}

/** Milliseconds until a Stage is due. `now`: the same since the epoch; `chance` in [0, 1). */
export function delayOf({ delay, jitter }: Stage, object: StageObject, now: number, chance: () => number): number {
  const least = delay === undefined ? undefined : durationOf(delay, object, now);
  if (least === undefined) return 0;
  const most = jitter === undefined ? undefined : durationOf(jitter, object, now);
  if (most === undefined) return Math.max(0, least);
  return Math.max(0, most <= least ? most : least + Math.floor(chance() * (most - least)));
}

/** Of a time it is how long it is until then; undefined: nothing is said. */
function durationOf({ value, expression }: From<number>, object: StageObject, now: number): number | undefined {
  if (expression === undefined) return value;
  const [found] = runJq(expression, object) ?? [];
  if (typeof found !== 'string') return value;
  if (found === '') return undefined;
  const time = /^\d{4}-\d\d-\d\dT/.test(found) ? Date.parse(found) : NaN;
  return Number.isNaN(time) ? (parseDuration(found) ?? value) : time - now;
}
