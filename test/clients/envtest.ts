import { createReadStream, cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KUBETTE, run } from '../support/up.js';

/** controller-runtime's own suites, run as they are through `kubette envtest`. */
const VERSION = 'v0.23.0';
const MODULE = 'sigs.k8s.io/controller-runtime';
/** Those that start an API server. */
export const SUITES = [
  'source',
  'handler',
  'reconcile',
  'cluster',
  'manager',
  'cache',
  'client/apiutil',
  'envtest',
  'builder',
  'controller',
  'webhook',
  'client',
] as const;

/** These download a kube-apiserver of 1.28 and run that. */
const NOT_OURS = 'Test(ApiMachinery|LazyRestMapperProvider)/aggregatedDiscovery=false';
const SUITE_TIMEOUT = '600s';
const RUN_TIMEOUT_MS = 60 * 60_000;

/** What became of one suite, by Ginkgo's count; of one that is written without it, by Go's. */
export interface SuiteScore {
  readonly suite: string;
  readonly passed: number;
  readonly failed: number;
  /** Pending ones among them. */
  readonly skipped: number;
  readonly seconds: number;
  /** Specs that failed, as Ginkgo sums them up; of a suite that did not come so far, its last words. */
  readonly failures: readonly string[];
}

interface TestEvent {
  readonly Action?: string;
  readonly Package?: string;
  readonly Test?: string;
  readonly Output?: string;
  readonly Elapsed?: number;
}

/** Ginkgo colours its sums when it thinks that somebody looks. */
const plain = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, '');

const SUM = /(\d+) Passed.*?(\d+) Failed.*?(\d+) Pending.*?(\d+) Skipped/;
const LAST_WORDS = 20;

/** What Go says of a package. */
interface PackageReport {
  output: string;
  readonly tests: { pass: number; fail: number; skip: number };
}

function scoreOf(suite: string, { output, tests }: PackageReport, seconds: number, passed: boolean): SuiteScore {
  const text = plain(output);
  const counts = SUM.exec(text)?.slice(1).map(Number);
  const failures = text.split('\n').filter(line => line.includes('[FAIL]'));
  if (counts === undefined) {
    const words = text.trimEnd().split('\n').slice(-LAST_WORDS);
    return { suite, passed: 0, failed: passed ? 0 : 1, skipped: 0, seconds, failures: passed ? [] : words };
  }
  const [good = 0, bad = 0, pending = 0, skipped = 0] = counts;
  if (good + bad === 0) {
    const { pass, fail, skip } = tests;
    return { suite, passed: pass, failed: fail, skipped: skip, seconds, failures };
  }
  // A suite may fail behind its specs.
  const failed = bad === 0 && !passed ? 1 : bad;
  return { suite, passed: good, failed, skipped: pending + skipped, seconds, failures: [...new Set(failures)] };
}

/** Reads `go test -json`. */
async function readScores(file: string): Promise<SuiteScore[]> {
  const reports = new Map<string, PackageReport>();
  const scores: SuiteScore[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (!line.startsWith('{')) continue;
    const { Action, Package = '', Test, Output = '', Elapsed = 0 } = JSON.parse(line) as TestEvent;
    const report = reports.get(Package) ?? { output: '', tests: { pass: 0, fail: 0, skip: 0 } };
    reports.set(Package, report);
    if (Action === 'output') report.output += Output;
    if (Action !== 'pass' && Action !== 'fail' && Action !== 'skip') continue;
    if (Test !== undefined) report.tests[Action]++;
    else scores.push(scoreOf(Package.slice(`${MODULE}/pkg/`.length), report, Elapsed, Action === 'pass'));
  }
  return scores;
}

export function scoreTable(scores: readonly SuiteScore[]): string {
  const rows = scores.map(({ suite, passed, failed, skipped, seconds }) =>
    [
      suite.padEnd(16),
      ...[passed, failed, skipped].map(n => String(n).padStart(7)),
      `${seconds.toFixed(1)} s`.padStart(9),
    ].join(' '),
  );
  return [`${'suite'.padEnd(16)}  passed  failed skipped      time`, ...rows].join('\n');
}

/** Runs suites one after the other, in a copy of the module under `cache`. */
export async function runSuites(cache: string, suites: readonly string[] = SUITES): Promise<SuiteScore[]> {
  const folder = join(cache, 'envtest', VERSION);
  if (!existsSync(join(folder, 'go.mod'))) {
    const found = await run('go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`], { timeoutMs: RUN_TIMEOUT_MS });
    const { Dir = '' } = JSON.parse(found.stdout) as { Dir?: string };
    if (found.code !== 0 || Dir === '') throw new Error(`${MODULE} cannot be had: ${found.stderr}`);
    mkdirSync(folder, { recursive: true });
    cpSync(Dir, folder, { recursive: true });
    // Go's cache is read-only, and suites write beside themselves.
    await run('chmod', ['-R', 'u+w', folder]);
  }
  const assets = await run(process.execPath, [KUBETTE, 'envtest']);
  const packages = suites.map(suite => `./pkg/${suite}`).join(' ');
  const report = join(cache, 'envtest', 'report.json');
  await run(
    'sh',
    ['-c', `go test -p 1 -json -count=1 -timeout ${SUITE_TIMEOUT} -skip '${NOT_OURS}' ${packages} > "$REPORT"`],
    {
      cwd: folder,
      timeoutMs: RUN_TIMEOUT_MS,
      env: { KUBEBUILDER_ASSETS: assets.stdout.trim(), REPORT: report },
    },
  );
  return readScores(report);
}
