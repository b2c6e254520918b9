import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../support/root.js';
import { bundledName } from './bundle.js';
import { inLanes, inRows, longestFirst, readDurations, writeDurations } from './in-lanes.js';
import { nameSources } from './places.js';
import { runTestFile } from './test-file.js';

/**
 * `main.js [--jobs N] [--row 'regexp' …] test/unit/a.test.ts …`: runs joined test files, several at a time, and prints TAP. A
 * process per file and nothing in it but the file: a runner that hooks itself into each one's module loader takes longer than
 * most files do. Those that an expression finds run beside the others, but one after the other.
 */
const { values, positionals } = parseArgs({
  options: { jobs: { type: 'string' }, row: { type: 'string', multiple: true } },
  allowPositionals: true,
});
const jobs = Number(values.jobs ?? cpus().length + 1);
const ended = new AbortController();
const LIMITS = { timeoutSeconds: 300, silenceMs: 900_000, signal: ended.signal };
const JOINED = join(ROOT, 'build/joined');
const DURATIONS = join(ROOT, 'build/test-durations.json');

/** What every file says of itself as a whole, which is said of the run once. */
const OF_THE_FILE = /^(TAP version \d+|# time=.*|# \{ total.*)$/;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
// Whoever reads may have seen enough.
process.stdout.on('error', () => process.exit(1));

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.on(signal, () => {
    ended.abort();
    process.exit(1);
  });

const began = Date.now();
const durations = { ...readDurations(DURATIONS) };
let count = 0;
print('TAP version 14');
const run = async (file: string): Promise<void> => {
  const finished = await runTestFile(join(JOINED, `${bundledName(file)}.js`), LIMITS);
  const { output, milliseconds, cpuMilliseconds, problem } = finished;
  const text = problem === undefined ? output : nameSources(output, JOINED, ROOT);
  print(`# Subtest: ${file}`);
  for (const line of text.split('\n')) if (!OF_THE_FILE.test(line)) print(line === '' ? '' : `    ${line}`);
  print(
    `${problem === undefined ? 'ok' : 'not ok'} ${++count} - ${file} # time=${milliseconds.toFixed(0)}ms cpu=${cpuMilliseconds}ms`,
  );
  if (problem === undefined) durations[file] = Math.round(milliseconds);
  else {
    print(`  ---\n  ${problem}\n  ...`);
    process.exitCode = 1;
  }
};
const sorted = longestFirst(positionals, durations);
const { rows, others } = inRows(
  sorted,
  (values.row ?? []).map(source => new RegExp(source)),
);
// A row is long: it has a lane of its own from the beginning.
await Promise.all([...rows.map(files => inLanes(files, 1, run)), inLanes(others, jobs, run)]);
print(`1..${count}`);
print(`# time=${Date.now() - began}ms`);
writeDurations(DURATIONS, { ...readDurations(DURATIONS), ...durations });
