import type { Coverage } from './coverage.js';
import type { Mutant } from './instrument.js';
import { type Judge, startJudge } from './judge.js';

export interface Judged {
  readonly mutant: Mutant;
  readonly killer: string | undefined;
}

interface Run {
  readonly folder: string;
  readonly files: readonly string[];
  readonly mutants: readonly Mutant[];
  readonly wanted: readonly Mutant[];
  readonly coverage: Coverage;
  /** Mutants that somebody comes by at while files are loaded. */
  readonly loaded: readonly number[];
  readonly workers: number;
  /** A process that has loaded the files. */
  readonly first: Judge;
  tell(judged: Judged): void;
}

/** After so many mutants a process is asked without one whether any has left something behind. */
const BATCH = 20;
/** Who costs more, in ms of work, is only asked about what it comes by at, or about its file. */
const CHEAP_MS = 200;

/**
 * Judges mutants in long-lived processes, which ask only tests that come by, cheap ones first. What is made while files are
 * loaded cannot be broken later: such a mutant has a process of its own, and any test may see it.
 */
export async function judgeAll(run: Run): Promise<Judged[]> {
  const { folder, files, wanted, coverage, tell } = run;
  const costs = new Map([...coverage.tests].map(([test, { ms }]) => [test, ms]));
  const paths = new Map(run.mutants.map(({ id, path }) => [id, path]));
  const byMutant = new Map<number, string[]>();
  const byPath = new Map<string, Set<string>>();
  for (const [test, { ids }] of [...coverage.tests].sort(([, a], [, b]) => a.ms - b.ms))
    for (const id of ids) {
      byMutant.set(id, [...(byMutant.get(id) ?? []), test]);
      const path = paths.get(id) ?? '';
      byPath.set(path, (byPath.get(path) ?? new Set()).add(test));
    }
  const cheap = [...costs]
    .filter(([, ms]) => ms < CHEAP_MS)
    .sort(([, a], [, b]) => a - b)
    .map(([test]) => test);
  const atLoading = new Set(run.loaded);
  /** Who saw mutants of the same function, or file, is asked first. */
  const lastKillers = new Map<string, string>();

  function testsFor({ id, path, within }: Mutant): string[] {
    const covering = atLoading.has(id) ? [...(byPath.get(path) ?? []), ...cheap] : (byMutant.get(id) ?? []);
    const likely = [lastKillers.get(`${path} ${within}`), lastKillers.get(path)];
    return [
      ...new Set([...likely.filter(test => test !== undefined && covering.includes(test)), ...covering]),
    ] as string[];
  }

  function note(mutant: Mutant, killer: string | undefined): Judged {
    if (killer !== undefined && costs.has(killer)) {
      lastKillers.set(`${mutant.path} ${mutant.within}`, killer);
      lastKillers.set(mutant.path, killer);
    }
    return { mutant, killer };
  }

  async function alone(mutant: Mutant): Promise<Judged> {
    const judge = await startJudge(folder, files, mutant.id);
    if (judge === undefined) return { mutant, killer: 'loading (no test begins)' };
    const { killer } = await judge.judge(mutant.id, testsFor(mutant), costs);
    judge.close();
    return note(mutant, killer);
  }

  const queue = [...wanted];
  const judged: Judged[] = [];

  async function batch(judge: Judge | undefined): Promise<Judge | undefined> {
    let process = judge;
    const found: Judged[] = [];
    for (const mutant of queue.splice(0, BATCH)) {
      const tests = testsFor(mutant);
      if (atLoading.has(mutant.id)) found.push(await alone(mutant));
      else if (tests.length === 0) found.push({ mutant, killer: undefined });
      else {
        process ??= await startJudge(folder, files);
        if (process === undefined) throw new Error('a test file fails before anything is broken');
        const { killer, ended } = await process.judge(mutant.id, tests, costs);
        if (ended) process = undefined;
        found.push(note(mutant, killer));
      }
    }
    const killers = [
      ...new Set(found.flatMap(({ killer }) => (killer !== undefined && costs.has(killer) ? [killer] : []))),
    ];
    const check = await process?.judge(-1, killers, costs);
    const isSpoilt = check?.killer !== undefined;
    if (isSpoilt) {
      if (!check.ended) process?.close();
      process = undefined;
    }
    for (const one of found) {
      const again = isSpoilt && one.killer !== undefined ? await alone(one.mutant) : one;
      judged.push(again);
      tell(again);
    }
    return process;
  }

  await Promise.all(
    Array.from({ length: run.workers }, async (_, i) => {
      let process = i === 0 ? run.first : undefined;
      while (queue.length > 0) process = await batch(process);
      process?.close();
    }),
  );
  return judged;
}
