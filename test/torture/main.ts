import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChurn } from './churn/run.js';
import { clockJumps } from './faults/clock-jumps.js';
import { noDisk } from './faults/disk.js';
import { fullDisk } from './faults/full-disk.js';
import { slowWatchers } from './faults/slow-watchers.js';
import { runKills } from './kills/run.js';

/**
 * `make torture`: what a cluster must survive. SEED=n repeats a run's choices (its moments are the machine's), ROUNDS=n kills the API
 * server so often (200), MINUTES=n is how long the other processes are killed and stopped (10), ONLY=part names some.
 */
const { SEED, ROUNDS = '200', MINUTES = '10', ONLY = '' } = process.env;
const seed = SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(SEED);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Report {
  readonly problems: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

/** Gives a part a folder, which stays where something was wrong. */
async function inFolder(work: (dataDir: string) => Promise<Report>): Promise<Report> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-torture-'));
  const report = await work(dataDir);
  if (report.problems.length === 0) rmSync(dataDir, { recursive: true, force: true });
  else say(`  ${dataDir} is left as it is`);
  return report;
}

const PARTS: Readonly<Record<string, () => Promise<Report>>> = {
  kills: () =>
    inFolder(dataDir =>
      runKills({
        seed,
        rounds: Number(ROUNDS),
        writers: 64,
        dataDir,
        onRound: (round, observations) => {
          if (round % 20 === 0) say(`  round ${round}, ${observations} observations`);
        },
      }),
    ),
  churn: () => inFolder(dataDir => runChurn({ seed, milliseconds: Number(MINUTES) * 60_000, pace: 2, dataDir })),
  'full-disk': async () => {
    const why = noDisk();
    if (why !== undefined) say(`  SKIPPED: ${why}`);
    return { problems: why === undefined ? await fullDisk() : [], figures: {} };
  },
  'slow-watchers': () =>
    inFolder(async dataDir => {
      const { problems, mostMb } = await slowWatchers(dataDir);
      return { problems, figures: { 'MB resident at most': Math.round(mostMb) } };
    }),
  'clock-jumps': () => inFolder(async dataDir => ({ problems: await clockJumps(dataDir), figures: {} })),
};

const chosen = Object.entries(PARTS).filter(([name]) => ONLY.split(',').some(part => name.includes(part)));
if (chosen.length === 0) {
  process.stderr.write(`ONLY=${ONLY} is none of ${Object.keys(PARTS).join(', ')}\n`);
  process.exit(1);
}
say(`SEED=${seed}`);
let failed = false;
for (const [name, part] of chosen) {
  say(name);
  const { problems, figures } = await part();
  for (const [what, count] of Object.entries(figures)) say(`  ${what}: ${count}`);
  for (const problem of problems.slice(0, 40)) say(`  WRONG: ${problem}`);
  say(`${name}: ${problems.length} problems`);
  failed ||= problems.length > 0;
}
process.exit(failed ? 1 : 0);
