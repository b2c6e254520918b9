import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { judgeReplay, type Reasons } from '../replay/judge.js';
import { extensionRecordings } from '../replay/originals.js';
import { parseRecording, type Recording } from '../replay/recordings.js';
import type { Replayed } from '../replay/types.js';
import { createWireClient } from '../replay/wire/client.js';
import { startHookServer } from '../replay/wire/hooks/hook-server.js';
import { replayScenario } from '../replay/wire/replay.js';
import type { Head, Step } from '../replay/wire/types.js';
import { ROOT } from '../support/root.js';
import { startApiServer } from '../support/up.js';

/*
 * Recordings of a real server that asks others: admission webhooks, conversion webhooks, aggregated APIs. They lie beside the
 * repository only. Every step passes but for those in hook-recordings-known.json, each with its reason.
 */
t.setTimeout(1_200_000);

const TOKEN = 'admin-token';
const ALLOWED_SHARE = 0.005;

const KNOWN = JSON.parse(readFileSync(join(ROOT, 'test/e2e/hook-recordings-known.json'), 'utf8')) as Reasons;

async function start(t: Test): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-hooks-'));
  const tokens = join(dataDir, 'tokens.csv');
  writeFileSync(tokens, `${TOKEN},admin,admin-uid,"system:masters"\n`);
  const server = await startApiServer(['--data-dir', dataDir, '--token-auth-file', tokens]);
  t.teardown(() => server.stop());
  return server.port;
}

t.test('the API server asks others', async t => {
  const texts = extensionRecordings('hooks');
  if (texts === undefined)
    return t.comment('SKIPPED, NOTHING IS CHECKED: there are no recordings beside the repository');
  const recordings = [...texts.values()].map(text => parseRecording<Head, Step>(text));
  const client = createWireClient(await start(t));
  t.teardown(() => client.close());
  const hooks = await startHookServer();
  t.teardown(() => hooks.close());
  const replay = async (some: readonly Recording<Head, Step>[]): Promise<Replayed[]> => {
    const results: Replayed[] = [];
    for (const one of some) for (const step of await replayScenario(one, client, TOKEN, hooks)) results.push(step);
    return results;
  };
  await judgeReplay(t, recordings, replay, { reasons: KNOWN, allowedShare: ALLOWED_SHARE });
});
