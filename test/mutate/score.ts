import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../support/root.js';
import { grouped } from './group.js';
import type { Mutant } from './instrument.js';
import type { Judged } from './run.js';

/** A mutant that does what the program does, and why no test can tell them apart. */
interface Equivalent {
  readonly path: string;
  readonly within: string;
  readonly name: string;
  readonly text: string;
  readonly why: string;
}

const EQUIVALENT = JSON.parse(readFileSync(join(ROOT, 'test/mutate/equivalent.json'), 'utf8')) as readonly Equivalent[];
const SCORE = join(ROOT, 'test/scores/mutants.json');

/** What stays the same when lines are added elsewhere. */
export const identityOf = ({ path, within, name, text }: Omit<Mutant, 'id' | 'line'>): string =>
  [path, within, name, text].join(' | ');

const REASONS = new Map(EQUIVALENT.map(known => [identityOf(known), known.why]));

export const reasonOf = (mutant: Mutant): string | undefined => REASONS.get(identityOf(mutant));

interface Count {
  mutants: number;
  killed: number;
  equivalent: number;
  survived: number;
}

/**
 * Writes into test/scores/mutants.json what was found in each folder of which all mutants that there are to try were tried,
 * and `how` these were chosen; says where the file said otherwise. True: it did not.
 */
export function checkMutantScore(
  all: readonly Mutant[],
  judged: readonly Judged[],
  how: string,
  tell: (text: string) => void,
): boolean {
  const tried = grouped(judged, ({ mutant }) => dirname(mutant.path));
  const before = existsSync(SCORE) ? (JSON.parse(readFileSync(SCORE, 'utf8')) as Record<string, Count>) : {};
  const now = { ...before };
  for (const [folder, mutants] of grouped(all, ({ path }) => dirname(path))) {
    const found = tried.get(folder) ?? [];
    if (found.length !== mutants.length) continue;
    const killed = found.filter(({ killer }) => killer !== undefined).length;
    const equivalent = found.filter(
      ({ killer, mutant }) => killer === undefined && reasonOf(mutant) !== undefined,
    ).length;
    const key = folder + how;
    now[key] = { mutants: found.length, killed, equivalent, survived: found.length - killed - equivalent };
    const [old, made] = [JSON.stringify(before[key]), JSON.stringify(now[key])];
    tell(old === made ? `${key}: ${made}\n` : `${key}: ${made}, where the score said ${old}\n`);
  }
  const sorted = Object.fromEntries(Object.entries(now).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (JSON.stringify(sorted) === JSON.stringify(before)) return true;
  writeFileSync(SCORE, `${JSON.stringify(sorted, undefined, 2)}\n`);
  return false;
}
