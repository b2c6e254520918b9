import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CONFIG_MAPS } from '../../../src/client/resources.js';
import { createClient, type RestClient } from '../../../src/client/rest-client.js';
import { StatusError } from '../../../src/machinery/status.js';
import type { ConfigMap } from '../../../src/machinery/types.js';
import { eventually, KUBETTE, run } from '../../support/up.js';
import { createVictim } from '../kills/server.js';
import { createDisk } from './disk.js';

const [DISK_MB, LEFT_BYTES, VALUE_BYTES] = [48, 10 << 20, 75 << 10];
const [WRITERS, MOST_WRITES] = [8, 1_000];

/** LevelDB compresses what it moves from its log into tables. */
const incompressible = (): string => randomBytes(VALUE_BYTES).toString('base64');

interface Written {
  /** Acknowledged, by their names. */
  readonly stored: Set<string>;
  readonly refused: StatusError[];
}

/** Writes until every writer was refused. */
async function writeUntilFull(client: RestClient, prefix: string): Promise<Written> {
  const maps = client.resource<ConfigMap>(CONFIG_MAPS);
  const [stored, refused] = [new Set<string>(), [] as StatusError[]];
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < MOST_WRITES) {
      const name = `${prefix}-${next++}`;
      try {
        await maps.create('default', { metadata: { name }, data: { text: incompressible() } });
        stored.add(name);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        return void refused.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return { stored, refused };
}

const isReady = (client: RestClient): Promise<boolean> =>
  client.transport.fetch({ method: 'GET', path: '/readyz' }).then(
    () => true,
    () => false,
  );

async function missing(client: RestClient, stored: ReadonlySet<string>): Promise<string[]> {
  const { items } = await client.resource<ConfigMap>(CONFIG_MAPS).list({ namespace: 'default' });
  const there = new Set(items.map(({ metadata }) => metadata.name));
  return [...stored].filter(name => !there.has(name)).map(name => `acknowledged and missing: ${name}`);
}

/**
 * A disk that fills up under writers: they are refused by name, what was acknowledged stays, readers go on; with room again
 * so do writers. It is killed while it is full and after; and it does not start where it cannot write, and says so.
 */
export async function fullDisk(): Promise<string[]> {
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string): void => void (holds || problems.push(problem));
  const disk = createDisk(DISK_MB);
  try {
    const dataDir = join(disk.path, 'data');
    const victim = await createVictim(dataDir);
    await victim.start();
    const client = createClient(await victim.config(), 'torture');
    disk.fill(LEFT_BYTES);
    const { stored, refused } = await writeUntilFull(client, 'first');
    expect(stored.size > 0, 'nothing was stored before the disk was full');
    expect(refused.length === WRITERS, `${refused.length} of ${WRITERS} writers were refused`);
    for (const { code, message } of refused)
      expect(code >= 500 && /no space left on device/.test(message), `refused with ${code}: ${message}`);
    expect(!(await isReady(client)), 'it says that it is ready, and cannot write');
    problems.push(...(await missing(client, stored)).map(line => `while full, ${line}`));

    await victim.kill();
    disk.free();
    await victim.start();
    problems.push(...(await missing(client, stored)).map(line => `after a restart, ${line}`));
    disk.fill(LEFT_BYTES);
    const second = await writeUntilFull(client, 'second');
    disk.free();
    await eventually(
      'to be ready with room again',
      () => isReady(client),
      ready => ready,
    );
    const third = await client.resource<ConfigMap>(CONFIG_MAPS).create('default', { metadata: { name: 'third' } });
    expect(third.metadata.uid !== undefined, 'nothing can be written with room again');
    const all = new Set([...stored, ...second.stored, 'third']);
    problems.push(...(await missing(client, all)).map(line => `with room again, ${line}`));
    await victim.kill();
    await victim.start();
    problems.push(...(await missing(client, all)).map(line => `after another restart, ${line}`));
    await victim.kill();
    client.close();

    disk.readOnly();
    const { code, stderr } = await run(process.execPath, [
      KUBETTE,
      'apiserver',
      '--data-dir',
      dataDir,
      '--secure-port',
      '0',
    ]);
    const isOneLine = /^kubette apiserver: [^\n]*(?:read-only|permission)[^\n]*\n$/i.test(stderr);
    expect(code === 1 && isOneLine, `on a read-only disk it ends with ${String(code)}: ${stderr}`);
    return problems;
  } finally {
    disk.remove();
  }
}
