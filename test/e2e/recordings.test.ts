import { existsSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { idOf, replayExcused, type Reasons } from '../replay/judge.js';
import { replaySessions } from '../replay/kubectl/replay.js';
import { connectKubectl } from '../replay/kubectl/session.js';
import type * as kubectl from '../replay/kubectl/types.js';
import { differingOriginals } from '../replay/originals.js';
import { ownRecordings, parseRecording, type Recording } from '../replay/recordings.js';
import type { Replayed } from '../replay/types.js';
import { createWireClient } from '../replay/wire/client.js';
import { replayScenario } from '../replay/wire/replay.js';
import type * as wire from '../replay/wire/types.js';
import { ROOT } from '../support/root.js';
import { checkScore } from '../support/score.js';
import { hasItsTurn, shareOf, THOROUGH } from '../support/share.js';
import { run, startApiServer, startUp } from '../support/up.js';

/*
 * Recordings of the real server, replayed: the repository's, and the originals beside it where they differ. Every step
 * passes, but for those in recordings-known.json, each with its reason: at most 1 % of them. Some steps race with the
 * clock of a busy machine, so what failed is replayed once more by itself.
 *
 * Replayed with kubectl.1.32, and with kubectl.1.29 where that prints something else; KUBECTL_VERSIONS='1.27 1.31' replays
 * everything with those. They lie beside kubectl; where there is none, kubectl itself is taken. A process per command takes its
 * time: of the sessions a share is replayed, all with THOROUGH=1.
 */
t.setTimeout(3_000_000);

const known = JSON.parse(readFileSync(join(ROOT, 'test/e2e/recordings-known.json'), 'utf8')) as {
  readonly wire: Reasons;
  readonly kubectl: Reasons;
};
const TOKEN = 'admin-token';
const ALLOWED_SHARE = 0.01;
/** How long a session waits for what controllers do. */
const PATIENCE_MS = 15_000;

interface Named {
  readonly head: { readonly name: string };
}

/** The repository's, and the originals that differ; both without those of what is not served yet. */
function recordingsOf<Head extends Named['head'], Step>(t: Test, area: 'wire' | 'kubectl') {
  const own = ownRecordings(area);
  const originals = differingOriginals(area, own);
  t.comment(
    originals === undefined
      ? 'NO ORIGINALS beside the repository: its own recordings only'
      : `${originals.size} originals beside the repository differ from its own`,
  );
  const read = (texts: Iterable<string>): Recording<Head, Step>[] =>
    [...texts]
      .map(text => parseRecording<Head, Step>(text))
      .filter(({ head }) => known[area][`${head.name}:*`] === undefined);
  return { own: read(own.values()), originals: read(originals?.values() ?? []) };
}

async function check<R extends Named>(
  t: Test,
  recordings: R[],
  replay: (recordings: readonly R[]) => Promise<readonly Replayed[]>,
  { reasons, score }: { readonly reasons: Reasons; readonly score: string | undefined },
): Promise<void> {
  const judged = { reasons, allowedShare: ALLOWED_SHARE };
  const { steps, still } = await replayExcused(t, recordings, replay, judged);
  if (score === undefined) return;
  // Some of the known ones fail now and then only.
  const known = new Set(Object.keys(reasons).filter(name => steps.some(step => idOf(step) === name)));
  const passed = steps.filter(step => !known.has(idOf(step))).length - still.length;
  checkScore(t, 'recordings', { [score]: { passed, of: steps.length, known: [...known].sort() } });
}

function dataDirWithTokens(): { dataDir: string; flags: string[] } {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-recordings-'));
  const file = join(dataDir, 'tokens.csv');
  writeFileSync(file, `${TOKEN},admin,admin-uid,"system:masters"\n`);
  return { dataDir, flags: ['--token-auth-file', file] };
}

const RECORDED = ['--nodes', '0', '--controllers', '*,-scheduler', '--load-balancer-cidr', ''];

/** API server and controllers, no scheduler, no nodes, no load balancer: as the recordings with controllers were made. */
async function withControllers(t: Test): Promise<Awaited<ReturnType<typeof startUp>>> {
  const { dataDir, flags } = dataDirWithTokens();
  const up = await startUp({ dataDir, args: [...RECORDED, ...flags] });
  t.teardown(() => up.stop());
  return up;
}

type Scenario = Recording<wire.Head, wire.Step>;

/** Some scenarios mostly wait for watches to end; none of these asks for a fixed address. */
const waits = ({ head }: Scenario): boolean => /^(watch|list)-/.test(head.name);

async function checkWire(t: Test, port: number, controllers: boolean): Promise<void> {
  const client = createWireClient(port);
  t.teardown(() => client.close());
  const { own, originals } = recordingsOf<wire.Head, wire.Step>(t, 'wire');
  const inOrder = async (some: readonly Scenario[]): Promise<Replayed[]> => {
    const results: Replayed[] = [];
    for (const scenario of some) for (const step of await replayScenario(scenario, client, TOKEN)) results.push(step);
    return results;
  };
  const replay = async (some: readonly Scenario[]): Promise<Replayed[]> =>
    (await Promise.all([inOrder(some.filter(waits)), inOrder(some.filter(one => !waits(one)))])).flat();
  const mine = (some: readonly Scenario[]): Scenario[] =>
    some.filter(({ head }) => (head.needsControllers ?? false) === controllers);
  const score = controllers ? 'wire, with controllers' : 'wire';
  await check(t, mine(own), replay, { reasons: known.wire, score });
  const others = mine(originals);
  if (others.length > 0) await check(t, others, replay, { reasons: known.wire, score: undefined });
}

t.test('the wire, API server alone', async t => {
  const { dataDir, flags } = dataDirWithTokens();
  const server = await startApiServer(['--data-dir', dataDir, ...flags]);
  t.teardown(() => server.stop());
  await checkWire(t, server.port, false);
});

t.test('the wire, with controllers', async t => {
  await checkWire(t, (await withControllers(t)).port, true);
});

/** A version with a text of its own somewhere in the session. */
const printsElse = ({ steps }: Recording<kubectl.Head, kubectl.Step>, version: string): boolean =>
  steps.some(({ alt = [] }) => alt.some(({ versions }) => versions.includes(version)));

t.test('kubectl', async t => {
  const { own, originals } = recordingsOf<kubectl.Head, kubectl.Step>(t, 'kubectl');
  const there = realpathSync((await run('sh', ['-c', 'command -v kubectl'])).stdout.trim());
  const beside = (version: string): string => join(dirname(there), `kubectl.${version}`);
  const wanted = process.env['KUBECTL_VERSIONS']?.split(' ');
  const found = (wanted ?? ['1.32', '1.29']).map(beside).filter(binary => existsSync(binary));
  for (const [i, binary] of (found.length === 0 ? [there] : found).entries()) {
    // The other versions differ in few words: every other day has one of them.
    if (i > 0 && wanted === undefined && !hasItsTurn(i, 2)) continue;
    await t.test(binary.split('/').at(-1) ?? '', async t => {
      const up = await withControllers(t);
      const client = await connectKubectl(binary, join(up.dataDir, 'kubeconfig'));
      const whole = i === 0 || wanted !== undefined;
      const chosen = (some: typeof own): typeof own =>
        shareOf(whole ? some : some.filter(one => printsElse(one, client.version)));
      const options = { patienceMs: PATIENCE_MS, jobs: 3 };
      const replay = (some: Readonly<typeof own>): Promise<readonly Replayed[]> =>
        replaySessions(some, client, options);
      // Of a version that happens to be here nothing is written down.
      const usual = found.length > 0 && wanted === undefined && THOROUGH;
      const score = `kubectl ${client.version}${whole ? '' : ', where it prints something else'}`;
      await check(t, chosen(own), replay, { reasons: known.kubectl, score: usual ? score : undefined });
      const others = chosen(originals);
      if (others.length > 0) await check(t, others, replay, { reasons: known.kubectl, score: undefined });
    });
  }
});
