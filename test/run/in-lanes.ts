import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Milliseconds that each file took when it ran last. */
export type Durations = Readonly<Record<string, number>>;

/** What took longest begins first, so that nothing long is left for the end; what nobody knows of is before it. */
export const longestFirst = (files: readonly string[], durations: Durations): string[] =>
  [...files].sort((a, b) => (durations[b] ?? Infinity) - (durations[a] ?? Infinity) || (a < b ? -1 : 1));

/** What each expression finds, and the rest; what several find is the first one's. */
export function inRows(
  files: readonly string[],
  expressions: readonly RegExp[],
): { readonly rows: readonly string[][]; readonly others: readonly string[] } {
  const place = (file: string): number => expressions.findIndex(expression => expression.test(file));
  return {
    rows: expressions.map((_, i) => files.filter(file => place(file) === i)),
    others: files.filter(file => place(file) === -1),
  };
}

/** So many at a time, begun in their order. */
export async function inLanes<T>(items: readonly T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

export function readDurations(file: string): Durations {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Durations;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}

export function writeDurations(file: string, durations: Durations): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(durations));
}
