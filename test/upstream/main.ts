import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, run, startUp } from '../support/up.js';
import { readReport } from './report.js';

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

const HERE = join(ROOT, 'test/upstream');
const SCORE = join(HERE, 'score.json');
const CACHE = process.env['UPSTREAM_BIN'] ?? join(process.env['XDG_CACHE_HOME'] ?? tmpdir(), 'kubette-upstream');
const HOUR_MS = 60 * 60_000;

const { values } = parseArgs({
  options: {
    focus: { type: 'string', default: '\\[Conformance\\]' },
    all: { type: 'boolean', default: false },
    procs: { type: 'string', default: String(4 * cpus().length) },
    write: { type: 'boolean', default: false },
  },
});

/** Kubernetes' e2e.test and ginkgo, built from the Go module proxy on first use. */
async function build(): Promise<void> {
  if (existsSync(join(CACHE, 'e2e.test')) && existsSync(join(CACHE, 'ginkgo'))) return;
  mkdirSync(CACHE, { recursive: true });
  for (const file of ['go.mod', 'tools.go']) cpSync(join(HERE, file), join(CACHE, file));
  const steps = [
    ['mod', 'tidy'],
    ['build', '-o', 'ginkgo', 'github.com/onsi/ginkgo/v2/ginkgo'],
    ['test', '-c', '-o', 'e2e.test', 'k8s.io/kubernetes/test/e2e'],
  ];
  for (const args of steps) {
    console.log(`go ${args.join(' ')}`);
    const { code, stderr } = await run('go', args, { cwd: CACHE, timeoutMs: HOUR_MS, env: { CGO_ENABLED: '0' } });
    if (code !== 0) throw new Error(`go ${args.join(' ')} failed:\n${stderr}`);
  }
}

/** A text as a regular expression that matches it. */
const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const score = JSON.parse(readFileSync(SCORE, 'utf8')) as Score;
const later = Object.values(score.later).flat();
const known = new Set([...later, ...score.failed]);

await build();
const up = await startUp({ args: ['--nodes', '2'] });
const reports = mkdtempSync(join(tmpdir(), 'kubette-upstream-report-'));
try {
  const skip = values.all || later.length === 0 ? [] : [`--skip=${later.map(literally).join('|')}`];
  await run(
    join(CACHE, 'ginkgo'),
    [
      `--procs=${values.procs}`,
      '--no-color',
      '--timeout=3h',
      `--focus=${values.focus}`,
      ...skip,
      `--output-dir=${reports}`,
      '--json-report=report.json',
      join(CACHE, 'e2e.test'),
      '--',
      `--kubeconfig=${join(up.dataDir, 'kubeconfig')}`,
      '--provider=skeleton',
      '--dump-logs-on-failure=false',
      '--disable-log-dump',
    ],
    { timeoutMs: 3 * HOUR_MS },
  );
} finally {
  await up.stop();
}

const { passed, failed } = readReport(join(reports, 'report.json'));
for (const { name, why } of failed) console.log(`FAILED${known.has(name) ? ' (as recorded)' : ''} ${name}\n  ${why}`);
for (const name of passed) if (known.has(name)) console.log(`PASSED though recorded as failing: ${name}`);
console.log(`report: ${join(reports, 'report.json')}`);
if (values.write) {
  const stillLater = Object.entries(score.later).map(([what, names]) => [what, names.filter(n => !passed.includes(n))]);
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
const surprises = failed.filter(({ name }) => !known.has(name));
console.log(`${passed.length} passed, ${failed.length} failed, ${later.length} skipped`);
process.exitCode = surprises.length === 0 && passed.length > 0 ? 0 : 1;
