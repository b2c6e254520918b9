import { cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run, startUp } from '../support/up.js';
import { readReport, type Report } from './report.js';

export const HERE = join(ROOT, 'test/upstream');
const CACHE = process.env['UPSTREAM_BIN'] ?? join(process.env['XDG_CACHE_HOME'] ?? tmpdir(), 'kubette-upstream');
const HOUR_MS = 60 * 60_000;

/** Which specs run, and against which cluster. */
export interface SuiteOptions {
  /** Flags of `kubette up`. */
  readonly up: readonly string[];
  /** Labels for the nodes in turn, once they are there. */
  readonly nodeLabels?: readonly string[];
  readonly focus: string;
  readonly skip: readonly string[];
  readonly procs: string;
  /** After which specs that run are interrupted, and the others left out: 3h. */
  readonly timeout: string;
}

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
export const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Starts a cluster, runs the specs against it, and says what they found. */
export async function runSuite({
  up: args,
  nodeLabels = [],
  focus,
  skip,
  procs,
  timeout,
}: SuiteOptions): Promise<Report> {
  await build();
  const up = await startUp({ args });
  const reports = mkdtempSync(join(tmpdir(), 'kubette-upstream-report-'));
  try {
    const nodes = (await up.ok('get', 'nodes', '-o', 'name')).trim().split('\n');
    for (const [at, label] of nodeLabels.entries()) await up.ok('label', nodes[at] ?? '', label);
    await run(
      join(CACHE, 'ginkgo'),
      [
        `--procs=${procs}`,
        '--no-color',
        `--timeout=${timeout}`,
        `--focus=${focus}`,
        ...(skip.length === 0 ? [] : [`--skip=${skip.join('|')}`]),
        `--output-dir=${reports}`,
        '--json-report=report.json',
        join(CACHE, 'e2e.test'),
        '--',
        `--kubeconfig=${join(up.dataDir, 'kubeconfig')}`,
        '--provider=skeleton',
        // What asks for two nodes skips itself without it.
        `--num-nodes=${nodes.length}`,
        '--dump-logs-on-failure=false',
        '--disable-log-dump',
      ],
      { timeoutMs: 3 * HOUR_MS },
    );
  } finally {
    await up.stop();
  }
  console.log(`report: ${join(reports, 'report.json')}`);
  return readReport(join(reports, 'report.json'));
}
