import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Judge } from './judge.js';

/** Of a test: what it costs, in ms of work (-1: it cannot be asked here), and the mutants that it comes by at. */
export interface Covered {
  readonly ms: number;
  readonly ids: readonly number[];
}

interface Kept extends Covered {
  readonly test: string;
  /** Of the mutants and the test's file. */
  readonly hash: string;
}

export interface Coverage {
  readonly tests: ReadonlyMap<string, Covered>;
  /** Who needs others of its file before it, or fails. */
  readonly unfit: readonly string[];
}

const fileOf = (test: string): string => test.slice(0, test.indexOf(': '));

/** Asks every test once, or takes what was kept of the last time where neither mutants nor the test's file have changed. */
export async function coverageOf(
  judge: Judge,
  mutants: readonly object[],
  sourceOf: (file: string) => string,
  keptIn: string,
): Promise<Coverage> {
  const lines = existsSync(keptIn) ? readFileSync(keptIn, 'utf8').trimEnd().split('\n') : [];
  const known = new Map(lines.map(line => JSON.parse(line) as Kept).map(kept => [`${kept.hash} ${kept.test}`, kept]));
  const common = createHash('sha256').update(JSON.stringify(mutants)).digest();
  const hashes = new Map<string, string>();
  const tests = new Map<string, Covered>();
  const unfit: string[] = [];
  for (const test of judge.tests) {
    const file = fileOf(test);
    const hash = hashes.get(file) ?? createHash('sha256').update(common).update(sourceOf(file)).digest('hex');
    hashes.set(file, hash);
    let covered: Covered | undefined = known.get(`${hash} ${test}`);
    if (covered === undefined) {
      const { failed, ms, ids } = await judge.cover(test);
      covered = { ms: failed ? -1 : ms, ids };
      appendFileSync(keptIn, `${JSON.stringify({ hash, test, ...covered } satisfies Kept)}\n`);
    }
    if (covered.ms >= 0) tests.set(test, covered);
    else unfit.push(test);
  }
  return { tests, unfit };
}
