import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { judgeReplay, type Reasons } from '../replay/judge.js';
import { extensionRecordings } from '../replay/originals.js';
import { parseRecording, type Recording } from '../replay/recordings.js';
import type { Replayed } from '../replay/types.js';
import { createWireClient, type WireClient } from '../replay/wire/client.js';
import { replayScenario } from '../replay/wire/replay.js';
import type { Head, Step } from '../replay/wire/types.js';
import { ROOT } from '../support/root.js';
import { startApiServer } from '../support/up.js';

/*
 * Recordings of a real server that was extended, which lie beside the repository only: custom resources, and CEL. Every
 * step passes but for those in extension-recordings-known.json, each with its reason. Some
 * race with the clock of a busy machine, so a scenario in which others failed is replayed once more.
 */
t.setTimeout(1_200_000);

const TOKEN = 'admin-token';
const ALLOWED_SHARE = 0.005;
const TOPICS = ['crd', 'cel'] as const;

const known = JSON.parse(readFileSync(join(ROOT, 'test/e2e/extension-recordings-known.json'), 'utf8')) as Readonly<
  Record<(typeof TOPICS)[number], Reasons>
>;

const start = async (t: Test): Promise<number> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-extensions-'));
  const tokens = join(dataDir, 'tokens.csv');
  writeFileSync(tokens, `${TOKEN},admin,admin-uid,"system:masters"\n`);
  const server = await startApiServer(['--data-dir', dataDir, '--token-auth-file', tokens]);
  t.teardown(() => server.stop());
  return server.port;
};

/** Some mostly wait, and each has kinds and namespaces of its own: a few go side by side. */
const SIDE_BY_SIDE = 3;

const replay = async (some: readonly Recording<Head, Step>[], client: WireClient): Promise<Replayed[]> => {
  const results: Replayed[] = [];
  const left = [...some];
  const lane = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift())
      for (const step of await replayScenario(one, client, TOKEN)) results.push(step);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  return results;
};

/** What is known not to come is not waited for. */
const askedOnce = ({ head, steps }: Recording<Head, Step>, reasons: Reasons): Recording<Head, Step> => ({
  head,
  steps: steps.map(step => {
    const { waitFor: _what, ...once } = step;
    return reasons[`${head.name}:${step.name}`] === undefined ? step : once;
  }),
});

for (const topic of TOPICS)
  t.test(topic, async t => {
    const texts = extensionRecordings(topic);
    if (texts === undefined)
      return t.comment('SKIPPED, NOTHING IS CHECKED: there are no recordings beside the repository');
    const reasons = known[topic];
    const recordings = [...texts.values()].map(text => askedOnce(parseRecording<Head, Step>(text), reasons));
    const client = createWireClient(await start(t));
    t.teardown(() => client.close());
    await judgeReplay(t, recordings, some => replay(some, client), { reasons, allowedShare: ALLOWED_SHARE });
  });
