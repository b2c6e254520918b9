import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { ROOT, run, startApiServer, startUp } from '../support/up.js';

/*
 * Recordings of the real server, replayed. They are kept outside this repository, beside it; where they are absent the
 * tests say so and skip. Every step passes, but for those in recordings-known.json, each with its reason: at most 1 % of
 * them. Some steps race with the clock of a busy machine, so what failed is replayed once more by itself.
 *
 * Replayed with kubectl.1.32 and kubectl.1.29, or those that KUBECTL_VERSIONS='1.27 1.31' names, where they lie beside
 * kubectl; with kubectl itself where there is none.
 */
t.setTimeout(3_000_000);

interface Known {
  readonly wire: Readonly<Record<string, string>>;
  readonly kubectl: Readonly<Record<string, string>>;
}
/** One step of a recording. */
interface Step {
  readonly scenario: string;
  readonly step: string;
  readonly ok: boolean;
  readonly about: string;
}
/** Replays all scenarios, or only those named. */
type Replay = (only: readonly string[]) => Promise<readonly Step[]>;

const SHARED = join(ROOT, '../shared');
const WIRE = join(SHARED, 'corpus/replay.mjs');
const KUBECTL = join(SHARED, 'kubectl-corpus/replay.mjs');
const known = JSON.parse(readFileSync(join(ROOT, 'test/e2e/recordings-known.json'), 'utf8')) as Known;
const TOKEN = 'admin-token';
const ALLOWED_SHARE = 0.01;
const REPLAY_LIMIT_MS = 580_000;

const absent = (file: string): string | false =>
  existsSync(file) ? false : `no recordings beside the repository (${file})`;

const id = ({ scenario, step }: Step): string => `${scenario}:${step}`;

async function check(t: Test, replay: Replay, reasons: Readonly<Record<string, string>>): Promise<void> {
  // Whole scenarios of kinds that are not served yet are not counted.
  const isAbsent = ({ scenario }: Step): boolean => reasons[`${scenario}:*`] !== undefined;
  const steps = (await replay([])).filter(step => !isAbsent(step));
  const failed = steps.filter(({ ok }) => !ok);
  t.comment(`${steps.length - failed.length} of ${steps.length} steps passed`);
  t.ok(steps.length > 0, 'steps were replayed');
  const unexpected = failed.filter(step => reasons[id(step)] === undefined);
  const excused = failed.length - unexpected.length;
  t.ok(excused <= steps.length * ALLOWED_SHARE, `${excused} of the failures are known`);
  if (unexpected.length === 0) return;
  for (const step of unexpected) t.comment(`once more: ${id(step)}: ${step.about}`);
  const names = new Set(unexpected.map(id));
  const again = await replay([...new Set(unexpected.map(({ scenario }) => scenario))]);
  const failedTwice = again.filter(step => !step.ok && names.has(id(step)));
  t.same(
    failedTwice.map(step => `${id(step)}: ${step.about}`),
    [],
    'no other step fails',
  );
}

function dataDirWithTokens(): { dataDir: string; flags: string[] } {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-recordings-'));
  const file = join(dataDir, 'tokens.csv');
  writeFileSync(file, `${TOKEN},admin,admin-uid,"system:masters"\n`);
  return { dataDir, flags: ['--token-auth-file', file] };
}

/** API server and controllers, no scheduler, no nodes: as the recordings with controllers were made. */
async function withControllers(t: Test): Promise<Awaited<ReturnType<typeof startUp>>> {
  const { dataDir, flags } = dataDirWithTokens();
  const up = await startUp({ dataDir, args: ['--nodes', '0', '--controllers', '*,-scheduler', ...flags] });
  t.teardown(() => up.stop());
  return up;
}

const jsonFile = (): string => join(mkdtempSync(join(tmpdir(), 'kubette-replay-')), 'replay.json');

function wireReplay(port: number, controllers: 'yes' | 'no'): Replay {
  const served = readdirSync(join(SHARED, 'corpus/scenarios'))
    .map(file => file.replace(/\.json$/, ''))
    .filter(name => known.wire[`${name}:*`] === undefined);
  return async only => {
    const out = jsonFile();
    const names = (only.length === 0 ? served : only).join(',');
    const target = ['--server', `https://127.0.0.1:${port}`, '--token', TOKEN, '--insecure'];
    const args = [...target, '--controllers', controllers, '--only', names, '--quiet', '--json', out];
    await run(process.execPath, [WIRE, ...args], { timeoutMs: REPLAY_LIMIT_MS });
    const { results } = JSON.parse(readFileSync(out, 'utf8')) as {
      results: { scenario: string; steps: { name: string; ok: boolean; diff: string[] }[] }[];
    };
    return results.flatMap(({ scenario, steps }) =>
      steps.map(({ name, ok, diff }) => ({
        scenario,
        step: name,
        ok,
        about: diff.slice(0, 3).join('; ').slice(0, 300),
      })),
    );
  };
}

function kubectlReplay(kubectl: string, kubeconfig: string): Replay {
  return async only => {
    const out = jsonFile();
    const names = only.flatMap(name => ['--only', name]);
    const args = ['--kubectl', kubectl, '--kubeconfig', kubeconfig, '--max-retry', '15', '--jobs', '3', ...names];
    await run(process.execPath, [KUBECTL, ...args, '--json', out], { timeoutMs: REPLAY_LIMIT_MS });
    const { steps } = JSON.parse(readFileSync(out, 'utf8')) as {
      steps: { script: string; step: number; run: string; ok: boolean }[];
    };
    return steps.map(({ script, step, run: about, ok }) => ({ scenario: script, step: String(step), ok, about }));
  };
}

t.test('the wire, API server alone', { skip: absent(WIRE) }, async t => {
  const { dataDir, flags } = dataDirWithTokens();
  const server = await startApiServer(['--data-dir', dataDir, ...flags]);
  t.teardown(() => server.stop());
  await check(t, wireReplay(server.port, 'no'), known.wire);
});

t.test('the wire, with controllers', { skip: absent(WIRE) }, async t => {
  await check(t, wireReplay((await withControllers(t)).port, 'yes'), known.wire);
});

t.test('kubectl', { skip: absent(KUBECTL) }, async t => {
  const kubectl = realpathSync((await run('sh', ['-c', 'command -v kubectl'])).stdout.trim());
  const versions = (process.env['KUBECTL_VERSIONS'] ?? '1.32 1.29').split(' ');
  const found = versions.map(v => join(dirname(kubectl), `kubectl.${v}`)).filter(binary => existsSync(binary));
  const binaries = found.length === 0 ? [kubectl] : found;
  for (const binary of binaries) {
    await t.test(binary.split('/').at(-1) ?? '', async t => {
      const up = await withControllers(t);
      await check(t, kubectlReplay(binary, join(up.dataDir, 'kubeconfig')), known.kubectl);
    });
  }
});
