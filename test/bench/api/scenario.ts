import type { Metered } from './meter.js';
import type { Target } from './target.js';

export type Unit = 'per s' | 'ms' | 'MB' | '';

/** A line of the table. */
export interface RowInfo {
  readonly id: string;
  readonly what: string;
  readonly unit: Unit;
  /** What we want to get to. */
  readonly reach?: number;
}

/** What was measured for a row, once. */
export interface Figure {
  readonly value: number;
  /** Milliseconds of the server's CPU for one of what is counted. */
  readonly cpuMs?: number | undefined;
  /** The part of a core that who made the load had. */
  readonly driver?: number | undefined;
}

export type Figures = Readonly<Record<string, Figure>>;

/** Some rows that are measured together. What it does to a server is the same whatever the server's speed. */
export interface Scenario {
  /** What ONLY looks for. */
  readonly name: string;
  readonly rows: readonly RowInfo[];
  /** How often it is run; the median of each row counts. */
  readonly runs: number;
  /** It starts servers of its own, which a target may not be able to. */
  readonly fresh?: true;
  /** Before the first run, once for each target: what is measured on, and what warms up. */
  prepare?(target: Target): Promise<void>;
  run(target: Target): Promise<Figures>;
}

export const row = (id: string, what: string, unit: Unit, reach?: number): RowInfo => ({
  id,
  what,
  unit,
  ...(reach === undefined ? {} : { reach }),
});

/** The figure of a rate: `count` of something in the time that was metered. */
export const rate = ({ tookMs, cpuMs, driver }: Metered<unknown>, count: number): Figure => ({
  value: (count / tookMs) * 1000,
  cpuMs: cpuMs === undefined ? undefined : cpuMs / count,
  driver,
});
