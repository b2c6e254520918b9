import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, run, startApiServer } from '../support/up.js';
import { api } from './api.js';
import { BUNDLES, type Bundle } from './bundles.js';
import { startRealServer } from './real-server.js';
import { tryBundle } from './try-bundle.js';

/*
 * `make bundles`: definitions that well-known operators ship, installed as they are, with the samples that lie beside them.
 * Their modules come from the Go module proxy. Where UPSTREAM_BIN has a kube-apiserver (and there is an etcd), it is asked
 * the same, and what the two say differently is printed and counted in score.json. ONLY names a part of the names.
 */
const SCORE = join(ROOT, 'test/bundles/score.json');

interface Row {
  readonly module: string;
  readonly documents: number;
  readonly accepted: number;
  /** Documents of which kube-apiserver says something else; absent: it was not asked. */
  readonly differ?: readonly string[];
}

async function folderOf(module: string): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', module], { timeoutMs: 300_000, cwd: tmpdir() });
  const { Dir, Error: problem } = JSON.parse(stdout) as { Dir?: string; Error?: string };
  if (Dir === undefined) throw new Error(`${module}: ${problem ?? 'no folder'}`);
  return Dir;
}

async function startOurs() {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubette-bundles-'));
  const tokens = join(dataDir, 'tokens.csv');
  writeFileSync(tokens, 'admin-token,admin,admin-uid,"system:masters"\n');
  const server = await startApiServer(['--data-dir', dataDir, '--token-auth-file', tokens]);
  return { api: api(server.port, 'admin-token'), stop: server.stop };
}

const ours = await startOurs();
const real = await startRealServer();
if (real === undefined) console.log('no kube-apiserver in UPSTREAM_BIN: only what is accepted is counted');

async function judge(bundle: Bundle): Promise<Row> {
  const root = await folderOf(bundle.module);
  const mine = await tryBundle(ours.api, bundle, root);
  const accepted = [...mine.values()].filter(said => said.startsWith('20')).length;
  const row = { module: bundle.module, documents: mine.size, accepted };
  if (real === undefined) return row;
  const theirs = await tryBundle(real.api, bundle, root);
  const differ = [...mine].filter(([from, said]) => theirs.get(from) !== said).map(([from]) => from);
  for (const from of differ)
    console.log(
      `${bundle.name}: ${from}\n  kube-apiserver: ${theirs.get(from) ?? ''}\n  kubette:        ${mine.get(from) ?? ''}`,
    );
  return { ...row, differ };
}

const before = JSON.parse(readFileSync(SCORE, 'utf8')) as Record<string, Row>;
const found: Record<string, Row> = { ...before };
for (const bundle of BUNDLES.filter(({ name }) => name.includes(process.env['ONLY'] ?? ''))) {
  const row = await judge(bundle);
  const known = before[bundle.name]?.differ;
  found[bundle.name] = row.differ === undefined && known !== undefined ? { ...row, differ: known } : row;
  const differing = row.differ === undefined ? '' : `, ${row.differ.length} not as kube-apiserver`;
  console.log(`${bundle.name}: ${row.accepted} of ${row.documents} documents accepted${differing}`);
}
ours.api.close();
await ours.stop();
await real?.stop();
const same = JSON.stringify(found) === JSON.stringify(before);
if (!same) writeFileSync(SCORE, `${JSON.stringify(found, undefined, 2)}\n`);
console.log(same ? 'as score.json says' : 'score.json is written anew: commit it if that is what the change is for');
process.exit(same ? 0 : 1);
