import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openFolderStore } from '../../src/cluster/store.js';
import { realClock } from '../../src/machinery/clock.js';
import { seededRandom } from '../../src/machinery/random.js';
import { runCompactor } from '../../src/storage/compactor.js';
import { benchFolder, startBenchServer } from './api-server.js';
import { inParallel } from './timed.js';
import { ms, type Row } from './table.js';

/** Of so many objects, all in all. */
const UPDATES = Number(process.env['UPDATES'] ?? 100_000);
const OBJECTS = 100;
const IN_FLIGHT = 64;
/** With what is around it, about a kilobyte. */
const TEXT_BYTES = 450;
const SAMPLE_EVERY = 1_000;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/** Files come and go while it is asked. */
function sizeOf(dir: string): number {
  let bytes = 0;
  for (const file of readdirSync(dir)) bytes += statSync(join(dir, file), { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

/** As hex, which packs to half of it: what people keep is neither all the same nor noise. */
function configMap(name: string, random: (below: number) => number): Buffer {
  const text = Buffer.from(Array.from({ length: TEXT_BYTES }, () => random(256))).toString('hex');
  const metadata = { name, namespace: 'default', uid: name, creationTimestamp: '2026-01-01T00:00:00Z' };
  return Buffer.from(JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata, data: { text } }));
}

/**
 * Few objects that change all the time, as fast as the store takes it: what is behind the history that is kept must go, and a start
 * must not read what is gone.
 */
export async function storeBounds(): Promise<Row[]> {
  const dataDir = benchFolder();
  // Its keys are made once, and what a server keeps of itself.
  await (await startBenchServer(dataDir, [])).stop();
  // Without waiting for the disk it is as fast as it can be, which is worst for what has to be cleared away.
  const store = await openFolderStore(dataDir, { clock: realClock, fsync: false });
  const stop = new AbortController();
  const compacting = runCompactor({
    store,
    clock: realClock,
    signal: stop.signal,
    onCompacted: () => undefined,
    onError(error) {
      throw error;
    },
  });
  const random = seededRandom(12).below;
  const dir = join(dataDir, 'store');
  let most = 0;
  const took = await inParallel(UPDATES, IN_FLIGHT, async i => {
    const name = `map-${i % OBJECTS}`;
    await store.commit(
      [],
      [{ type: 'put', key: `/registry/configmaps/default/${name}`, value: configMap(name, random) }],
    );
    if (i % SAMPLE_EVERY === 0) most = Math.max(most, sizeOf(dir));
  });
  const atEnd = sizeOf(dir);
  stop.abort();
  await compacting;
  await store.close();
  const server = await startBenchServer(dataDir, []);
  const afterStart = sizeOf(dir);
  await server.stop();
  const again = await startBenchServer(dataDir, []);
  await again.stop();
  const what = `${UPDATES.toLocaleString('en')} updates of ${OBJECTS} objects of 1 KB`;
  return [
    { what, value: `${Math.round((UPDATES / took) * 1000)}/s` },
    { what: '  most that the store took on disk', value: megabytes(most), goal: 'goal: under 200 MB' },
    { what: '  at the end / after a start', value: `${megabytes(atEnd)} / ${megabytes(afterStart)}` },
    { what: '  ready from there', value: ms(server.took), goal: 'goal: under 2 s' },
    { what: '  and the start after that', value: ms(again.took) },
  ];
}
