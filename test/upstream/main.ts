import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { network } from './network.js';
import { HERE, literally, runSuite } from './suite.js';

/** The committed score: what upstream's conformance suite says of this project. */
interface Score {
  readonly kubernetes: string;
  readonly specs: number;
  readonly passed: number;
  /** Specs that need what is not there yet, by what it is. */
  readonly later: Readonly<Record<string, readonly string[]>>;
  /** Specs that should pass and do not. */
  readonly failed: readonly string[];
  /** Specs that should pass and that no recorded run has finished. */
  readonly unproven: readonly string[];
}

const SCORE = join(HERE, 'score.json');

const { values } = parseArgs({
  options: {
    focus: { type: 'string' },
    all: { type: 'boolean', default: false },
    network: { type: 'string' },
    'proxy-mode': { type: 'string', default: 'iptables' },
    procs: { type: 'string', default: String(4 * cpus().length) },
    timeout: { type: 'string', default: '3h' },
    write: { type: 'boolean', default: false },
  },
});
const { procs, timeout, write } = values;

/** @returns whether it said what the committed score says. */
async function conformance(): Promise<boolean> {
  const score = JSON.parse(readFileSync(SCORE, 'utf8')) as Score;
  const later = Object.values(score.later).flat();
  const known = new Set([...later, ...score.failed]);
  const { passed, failed, broken } = await runSuite({
    up: ['--nodes', '2', '--proxy-mode', values['proxy-mode']],
    focus: values.focus ?? '\\[Conformance\\]',
    skip: values.all ? [] : later.map(literally),
    procs,
    timeout,
  });
  for (const { name, why } of broken) console.log(`BROKEN ${name}\n  ${why}`);
  for (const { name, why } of failed) console.log(`FAILED${known.has(name) ? ' (as recorded)' : ''} ${name}\n  ${why}`);
  for (const name of passed) if (known.has(name)) console.log(`PASSED though recorded as failing: ${name}`);
  if (write) {
    const stillLater = Object.entries(score.later).map(([what, names]) => [
      what,
      names.filter(n => !passed.includes(n)),
    ]);
    const failing = failed.map(({ name }) => name).filter(name => !later.includes(name));
    const notRun = score.failed.filter(name => !passed.includes(name) && !failing.includes(name));
    const unproven = score.unproven.filter(name => !passed.includes(name) && !failing.includes(name));
    const without =
      stillLater.flatMap(([, names]) => names ?? []).length + failing.length + notRun.length + unproven.length;
    const written: Score = {
      ...score,
      // A run may be of a part: what is neither known to fail nor unproven has passed, in this run or an earlier one.
      passed: score.specs - without,
      later: Object.fromEntries(stillLater) as Score['later'],
      failed: [...notRun, ...failing],
      unproven,
    };
    writeFileSync(SCORE, `${JSON.stringify(written, null, 2)}\n`);
  }
  console.log(`${passed.length} passed, ${failed.length} failed, ${later.length} skipped`);
  return broken.length === 0 && failed.every(({ name }) => known.has(name)) && passed.length > 0;
}

const asRecorded =
  values.network === undefined
    ? await conformance()
    : await network({
        set: values.network,
        proxyMode: values['proxy-mode'],
        focus: values.focus,
        all: values.all,
        procs,
        timeout,
        write,
      });
process.exitCode = asRecorded ? 0 : 1;
