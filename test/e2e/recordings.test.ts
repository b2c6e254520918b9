import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ROOT, run, startApiServer, startUp } from '../support/up.js';

/*
 * Recordings of the real server, replayed. They are kept outside this repository, beside it; where they are absent the
 * tests say so and skip. Steps that cannot pass are listed in recordings-known.json with the reason.
 */
t.setTimeout(1_200_000);

interface Known {
  readonly wire: Readonly<Record<string, string>>;
  readonly kubectl: Readonly<Record<string, string>>;
}
interface WireResult {
  results: { scenario: string; area: string; steps: { name: string; ok: boolean; diff: string[] }[] }[];
}
interface KubectlResult {
  steps: { script: string; step: number; run: string; ok: boolean }[];
}

const SHARED = join(ROOT, '../shared');
const WIRE = join(SHARED, 'corpus/replay.mjs');
const KUBECTL = join(SHARED, 'kubectl-corpus/replay.mjs');
const known = JSON.parse(readFileSync(join(ROOT, 'test/e2e/recordings-known.json'), 'utf8')) as Known;
const TOKEN = 'admin-token';

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

/** Recordings hold steps that race with the clock; a share this small may differ from run to run. */
const TOLERATED = 0.01;

/** Failing steps are known ones, or few enough to be the clock's. */
function judge(
  t: Test,
  failed: readonly { id: string; about: string }[],
  expected: Readonly<Record<string, string>>,
  passed: number,
): void {
  const isKnown = (id: string): boolean => id in expected || id.replace(/:.*/, ':*') in expected;
  const unknown = failed.filter(({ id }) => !isKnown(id));
  for (const { id, about } of unknown) t.comment(`${id}: ${about}`);
  const bound = Math.max(3, Math.floor((passed + failed.length) * TOLERATED));
  t.ok(passed > 0, `${passed} steps passed, ${failed.length} failed`);
  t.ok(unknown.length <= bound, `${unknown.length} of the failures are not known ones, at most ${bound} may be`);
}

const absent = (file: string): string | false =>
  existsSync(file) ? false : `no recordings beside the repository (${file})`;

async function replayWire(t: Test, port: number, controllers: 'yes' | 'no'): Promise<void> {
  const out = join(mkdtempSync(join(tmpdir(), 'kubette-wire-')), 'wire.json');
  const only = readdirSync(join(SHARED, 'corpus/scenarios'))
    .map(file => file.replace(/\.json$/, ''))
    // A kind that is not served yet: its scenarios only wait for it.
    .filter(name => known.wire[`${name}:*`] === undefined)
    .join(',');
  const args = ['--server', `https://127.0.0.1:${port}`, '--token', TOKEN, '--insecure', '--quiet', '--json', out];
  const replay = await run(process.execPath, [WIRE, ...args, '--controllers', controllers, '--only', only], {
    timeoutMs: 580_000,
  });
  t.comment(replay.stdout.trim().split('\n').at(-1) ?? '');
  const { results } = JSON.parse(readFileSync(out, 'utf8')) as WireResult;
  const steps = results.flatMap(({ scenario, steps: list }) =>
    list.map(step => ({ ...step, id: `${scenario}:${step.name}` })),
  );
  const failed = steps
    .filter(step => !step.ok)
    .map(({ id, diff }) => ({ id, about: diff.slice(0, 3).join('; ').slice(0, 300) }));
  judge(t, failed, known.wire, steps.length - failed.length);
}

t.test('the wire, API server alone', { skip: absent(WIRE), timeout: 600_000 }, async t => {
  const { dataDir, flags } = dataDirWithTokens();
  const server = await startApiServer(['--data-dir', dataDir, ...flags]);
  t.teardown(() => server.stop());
  await replayWire(t, server.port, 'no');
});

t.test('the wire, with controllers', { skip: absent(WIRE), timeout: 600_000 }, async t => {
  await replayWire(t, (await withControllers(t)).port, 'yes');
});

t.test('kubectl', { skip: absent(KUBECTL), timeout: 600_000 }, async t => {
  const up = await withControllers(t);
  const out = join(up.dataDir, 'kubectl.json');
  const kubectl = (await run('sh', ['-c', 'command -v kubectl'])).stdout.trim();
  const replay = await run(
    process.execPath,
    [
      KUBECTL,
      '--kubectl',
      kubectl,
      '--kubeconfig',
      join(up.dataDir, 'kubeconfig'),
      '--max-retry',
      '15',
      '--jobs',
      '3',
      '--json',
      out,
    ],
    { timeoutMs: 580_000 },
  );
  t.comment(replay.stdout.trim().split('\n').at(-1) ?? '');
  const { steps } = JSON.parse(readFileSync(out, 'utf8')) as KubectlResult;
  const failed = steps
    .filter(step => !step.ok)
    .map(({ script, step, run: command }) => ({ id: `${script}:${step}`, about: command }));
  judge(t, failed, known.kubectl, steps.length - failed.length);
});
