/**
 * A child process for the storage tests: opens the LevelDB folder argv[2] and commits keys /k/<n> from several
 * writers, printing "ack <n> <revision>" for each acknowledged one, until it is killed or a commit fails.
 * argv[3]: bytes per value.
 */
import { writeSync } from 'node:fs';
import { StorageError } from '../../src/storage/kv-store.js';
import { openLevelStore } from '../../src/storage/leveldb/level-store.js';

const [dir = '', size = '100'] = process.argv.slice(2);
const value = Buffer.alloc(Number(size), 'x');

try {
  const store = await openLevelStore(dir);
  writeSync(1, `open ${store.observed()}\n`);
  let next = store.observed() * 10;
  const writer = async (): Promise<void> => {
    for (;;) {
      const n = next++;
      const result = await store.commit([], [{ type: 'put', key: `/k/${n}`, value }]);
      writeSync(1, `ack ${n} ${result.revision}\n`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, writer)).catch(async (error: unknown) => {
    if (!(error instanceof StorageError)) throw error;
    writeSync(1, `failed ${error.code} ${error.message}\n`);
    const { items, remaining } = await store.range('/k/', { limit: 5 });
    writeSync(1, `reads ${items.length + remaining} ${store.observed()}\n`);
    const again = await store.commit([], [{ type: 'put', key: '/again', value }]).catch((e: unknown) => e);
    writeSync(1, `again ${again instanceof StorageError ? again.code : 'ok'}\n`);
    await store.close();
  });
} catch (error) {
  writeSync(1, `error ${error instanceof StorageError ? `${error.code} ${error.message}` : String(error)}\n`);
  process.exitCode = 1;
}
