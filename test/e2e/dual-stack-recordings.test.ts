import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { judgeReplay } from '../replay/judge.js';
import { extensionRecordings } from '../replay/originals.js';
import { parseRecording, type Recording } from '../replay/recordings.js';
import type { Replayed } from '../replay/types.js';
import { createWireClient } from '../replay/wire/client.js';
import { replayScenario } from '../replay/wire/replay.js';
import type { Head, Step } from '../replay/wire/types.js';
import { KUBETTE, startApiServer } from '../support/up.js';

/*
 * Recordings of a real dual stack cluster, which lie beside the repository only. Every step passes. Some
 * race with the clock of a busy machine, so a scenario in which others failed is replayed once more.
 */
t.setTimeout(600_000);

const TOKEN = 'admin-token';
const SERVICE_RANGES = '10.96.0.0/16,fd00:10:96::/112';
const CLUSTER_RANGES = '10.244.0.0/16,fd00:10:244::/56';

/** An API server and controllers, as processes: their flags are part of it. @returns the port */
async function startDualStack(t: Test): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-dual-stack-'));
  const tokens = join(dataDir, 'tokens.csv');
  writeFileSync(tokens, `${TOKEN},admin,admin-uid,"system:masters"\n`);
  const server = await startApiServer([
    ...['--data-dir', dataDir, '--token-auth-file', tokens, '--service-cluster-ip-range', SERVICE_RANGES],
  ]);
  t.teardown(() => server.stop());
  const manager = spawn(
    process.execPath,
    [
      ...[KUBETTE, 'controller-manager', '--kubeconfig', join(dataDir, 'controller-manager.kubeconfig')],
      ...['--controllers', '*,-scheduler', '--leader-elect', 'false'],
      ...['--allocate-node-cidrs', 'true', '--cluster-cidr', CLUSTER_RANGES],
    ],
    { stdio: 'inherit' },
  );
  const ended = new Promise(resolve => manager.once('exit', resolve));
  t.teardown(() => {
    manager.kill('SIGTERM');
    return ended;
  });
  return server.port;
}

t.test('dual stack', async t => {
  const texts = extensionRecordings('network');
  if (texts === undefined)
    return t.comment('SKIPPED, NOTHING IS CHECKED: there are no recordings beside the repository');
  const client = createWireClient(await startDualStack(t));
  t.teardown(() => client.close());
  const replay = async (some: readonly Recording<Head, Step>[]): Promise<Replayed[]> => {
    const results: Replayed[] = [];
    for (const one of some) for (const step of await replayScenario(one, client, TOKEN)) results.push(step);
    return results;
  };
  const recordings = [...texts.values()].map(text => parseRecording<Head, Step>(text));
  await judgeReplay(t, recordings, replay);
});
