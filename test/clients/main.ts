import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run, startUp, type Finished } from '../support/up.js';
import { runSuites, scoreTable } from './envtest.js';

interface Client {
  readonly name: string;
  /** Programs that must be on the PATH. */
  readonly needs: readonly string[];
  /** Commands run one after the other in a copy of the client's folder; the last is the client itself. */
  readonly commands: (directory: string) => readonly (readonly string[])[];
}

/** Everything that is downloaded or built stays here, so that the next run is quick. */
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? tmpdir(), 'kubette-clients');
const BUILD_TIMEOUT_MS = 20 * 60_000;
const RUN_TIMEOUT_MS = 3 * 60_000;

/** Makes definitions and deep copies from Go types. */
const CONTROLLER_GEN = 'sigs.k8s.io/controller-tools/cmd/controller-gen@v0.19.0';

/** Built as its release is; that takes a quarter of an hour. */
const K9S = 'github.com/derailed/k9s@v0.50.16';

const nodeProgram = (name: string): Client => ({
  name,
  needs: [],
  commands: () => [[process.execPath, join(import.meta.dirname, name, 'run.js')]],
});

const goProgram = (name: string): Client => ({
  name,
  needs: ['go'],
  commands: () => [['go', 'mod', 'tidy'], ['go', 'build', '-o', 'client', '.'], ['./client']],
});

const pythonProgram = (name: string): Client => ({
  name,
  needs: ['python3'],
  commands: directory => {
    const python = join(directory, 'venv/bin/python');
    return [
      ...(existsSync(python) ? [] : [['python3', '-m', 'venv', 'venv']]),
      [python, '-m', 'pip', 'install', '--quiet', '--requirement', 'requirements.txt'],
      [python, 'main.py'],
    ];
  },
});

/** Client libraries first, then what is built on them: operator frameworks, Helm, k9s. */
const CLIENTS: readonly Client[] = [
  nodeProgram('node'),
  pythonProgram('python'),
  goProgram('go'),
  {
    name: 'java',
    needs: ['mvn', 'java'],
    commands: () => [
      ['mvn', '--quiet', '--batch-mode', 'package'],
      ['java', '-cp', 'target/classes:target/dependency/*', 'Main'],
    ],
  },
  { name: 'rust', needs: ['cargo'], commands: () => [['cargo', 'build', '--quiet'], ['target/debug/kubette-client']] },
  goProgram('controller-runtime'),
  {
    name: 'custom-resources',
    needs: ['go'],
    commands: () => [
      [
        'env',
        'GOFLAGS=-mod=mod',
        'go',
        'run',
        CONTROLLER_GEN,
        'object',
        'crd',
        'output:crd:dir=config/crd',
        'paths=./api/...',
      ],
      ['go', 'mod', 'tidy'],
      ['go', 'build', '-o', 'client', '.'],
      ['./client'],
    ],
  },
  nodeProgram('node-operator'),
  pythonProgram('kopf'),
  goProgram('helm'),
  {
    name: 'k9s',
    needs: ['go', 'tmux'],
    commands: directory => {
      const program = join(directory, 'k9s');
      return [
        ...(existsSync(program) ? [] : [['env', `GOBIN=${directory}`, 'go', 'install', K9S]]),
        [process.execPath, join(import.meta.dirname, 'k9s/run.js'), program],
      ];
    },
  },
];

const present = async (program: string): Promise<boolean> =>
  (await run('sh', ['-c', `command -v ${program}`])).code === 0;

/** Builds and runs one client. Resolves with the first command that failed, or the client's own end. */
async function drive({ name, commands }: Client, kubeconfig: string): Promise<Finished> {
  const directory = join(CACHE, name);
  mkdirSync(directory, { recursive: true });
  cpSync(join(ROOT, 'test/clients', name), directory, { recursive: true });
  const steps = commands(directory);
  let last: Finished = { code: null, stdout: '', stderr: '' };
  for (const [i, [command = '', ...args]] of steps.entries()) {
    const timeoutMs = i === steps.length - 1 ? RUN_TIMEOUT_MS : BUILD_TIMEOUT_MS;
    last = await run(command, args, { cwd: directory, timeoutMs, env: { KUBECONFIG: kubeconfig } });
    if (last.code !== 0) return { ...last, stderr: `${last.stderr}${[command, ...args].join(' ')} failed\n` };
  }
  return last;
}

/** Suites that start API servers of their own; half an hour, and more where they are built first. */
const ENVTEST = 'envtest';

/** Which clients to run: all, or those named on the command line. */
const wanted = process.argv.slice(2);
const unknown = wanted.find(name => name !== ENVTEST && !CLIENTS.some(client => client.name === name));
if (unknown !== undefined) throw new Error(`no client is called ${unknown}`);

const up = await startUp({ args: ['--nodes', '1', '--storage', 'memory'] });
const counts = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const client of CLIENTS) {
    if (wanted.length > 0 && !wanted.includes(client.name)) continue;
    const found = await Promise.all(client.needs.map(present));
    const missing = client.needs.filter((_, i) => found[i] === false);
    if (missing.length > 0) {
      counts.skipped++;
      console.log(`SKIPPED ${client.name}: ${missing.join(' and ')} not installed`);
      continue;
    }
    const started = performance.now();
    const { code, stdout, stderr } = await drive(client, join(up.dataDir, 'kubeconfig'));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    for (const line of stdout.trimEnd().split('\n')) console.log(`${client.name}: ${line}`);
    counts[code === 0 ? 'passed' : 'failed']++;
    if (code !== 0) console.log(stderr);
    console.log(`${code === 0 ? 'PASSED' : 'FAILED'} ${client.name} in ${seconds} s`);
  }
} finally {
  await up.stop();
}
if (wanted.length === 0 || wanted.includes(ENVTEST)) {
  if (await present('go')) {
    const scores = await runSuites(CACHE);
    const failures = scores.flatMap(({ suite, failures: some }) => some.map(line => `${suite}: ${line}`));
    for (const line of failures) console.log(line);
    console.log(scoreTable(scores));
    const failed = scores.length === 0 || scores.some(score => score.failed > 0);
    counts[failed ? 'failed' : 'passed']++;
    console.log(`${failed ? 'FAILED' : 'PASSED'} ${ENVTEST}`);
  } else {
    counts.skipped++;
    console.log(`SKIPPED ${ENVTEST}: go not installed`);
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;
