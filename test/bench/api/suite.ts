import { quantile } from '../table.js';
import type { Figure, RowInfo, Scenario } from './scenario.js';
import { FAN_OUT } from './scenarios/fan-out.js';
import { BESIDE_LISTS } from './scenarios/beside-lists.js';
import { CUSTOM_RESOURCES } from './scenarios/custom-resources.js';
import { IDLE_WATCHES } from './scenarios/idle-watches.js';
import { INFORMER_START } from './scenarios/informers.js';
import { LARGE_OBJECTS } from './scenarios/large-objects.js';
import { LISTS } from './scenarios/lists.js';
import { MEMORY, MEMORY_AFTER } from './scenarios/memory.js';
import { READS } from './scenarios/reads.js';
import { START } from './scenarios/start.js';
import { WRITES } from './scenarios/writes.js';
import type { Lag, Target } from './target.js';

/** In the order in which they are run: memory before there is anything, and after all. */
export const SCENARIOS: readonly Scenario[] = [
  MEMORY,
  ...WRITES,
  ...READS,
  LISTS,
  BESIDE_LISTS,
  ...FAN_OUT,
  INFORMER_START,
  ...CUSTOM_RESOURCES,
  MEMORY_AFTER,
  IDLE_WATCHES,
  START,
  LARGE_OBJECTS,
];

/** What one server has in a row: the median of its runs. */
export interface Result extends Figure {
  readonly runs: readonly number[];
}

export interface Measured {
  readonly row: RowInfo;
  readonly scenario: string;
  /** By the target's name. */
  readonly results: Readonly<Record<string, Result>>;
  /** Of the event loop while the scenario was run, where a server tells. */
  readonly lags: Readonly<Record<string, Lag>>;
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

function medians(figures: readonly Figure[]): Result {
  const known = (pick: (figure: Figure) => number | undefined): number | undefined => {
    const values = figures.map(pick).filter(value => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  const runs = figures.map(({ value }) => value);
  return { value: median(runs), runs, cpuMs: known(f => f.cpuMs), driver: known(f => f.driver) };
}

/** One scenario of all targets in turns, so that what else the machine does meets each of them. */
export async function measure(scenario: Scenario, targets: readonly Target[]): Promise<Measured[]> {
  const able = targets.filter(({ start }) => scenario.fresh !== true || start !== undefined);
  for (const target of able) await scenario.prepare?.(target);
  for (const { server } of able) await server.lag?.();
  const figures = new Map<string, Readonly<Record<string, Figure>>[]>(able.map(({ name }) => [name, []]));
  for (let run = 0; run < scenario.runs; run++)
    for (const target of able) figures.get(target.name)?.push(await scenario.run(target));
  const lags: Record<string, Lag> = {};
  for (const { name, server } of able) {
    const lag = await server.lag?.();
    // What runs on a server of its own says nothing of this one's.
    if (lag !== undefined && scenario.fresh !== true) lags[name] = lag;
  }
  return scenario.rows.map(row => ({
    row,
    scenario: scenario.name,
    lags,
    results: Object.fromEntries(
      [...figures].map(([name, runs]) => [name, medians(runs.flatMap(figure => figure[row.id] ?? []))]),
    ),
  }));
}
