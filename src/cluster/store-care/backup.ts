import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConnectionError, createTransport, toStatusError } from '../../client/transport.js';
import { loadKubeConfig } from '../../client/kubeconfig.js';
import { formatTime, type Clock } from '../../machinery/clock.js';
import { BACKUP_PATH } from '../../server/endpoints/backup.js';
import { BackupError, createBackupWriter, type Head, type Tail } from '../../storage/backup/format.js';
import { readBackup } from '../../storage/backup/read.js';
import type { KeyValue } from '../../storage/kv-store.js';
import { StorageError } from '../../storage/kv-store.js';
import { CURRENT, decodeCurrent } from '../../storage/leveldb/layout.js';
import { readFolder } from '../../storage/leveldb/files/read-folder.js';
import { inspectStore, type Finding } from '../../storage/leveldb/inspect.js';
import { ADMIN } from '../keys/kubeconfig.js';
import { withStore, type StorePlace } from './place.js';

/** What a backup holds. */
export interface BackedUp extends Pick<Head, 'revision' | 'takenAt'>, Pick<Tail, 'objects'> {}

const PAGE = 500;

/** A backup of a store that nobody has open. @throws StorageError 'damaged' when anything is wrong with it */
export async function* backupOfFolder(place: StorePlace, clock: Clock): AsyncGenerator<Buffer> {
  const findings: Finding[] = [];
  const { revision } = await inspectStore(place.dir, place.newestFile, { found: one => findings.push(one) });
  const [first] = findings;
  if (first !== undefined)
    throw new StorageError(
      'damaged',
      `the store is damaged: ${first.about}: ${first.problem}; "kubette store check" shows all of it`,
    );
  const writer = createBackupWriter();
  yield writer.begin({ revision, takenAt: formatTime(clock.now()) });
  let page: KeyValue[] = [];
  for await (const { key, value } of readFolder(place.dir, () => undefined)) {
    const text = key.toString();
    if (!text.startsWith(CURRENT)) break;
    page.push(decodeCurrent(text.slice(CURRENT.length), value as Buffer));
    if (page.length < PAGE) continue;
    yield writer.objects(page);
    page = [];
  }
  yield writer.objects(page);
  yield writer.end();
}

/** A backup from the server that has the store of a data folder. @throws StatusError, ConnectionError */
export async function* backupOfServer(dataDir: string): AsyncGenerator<Buffer> {
  const transport = createTransport(await loadKubeConfig(join(dataDir, ADMIN.file)), 'kubette-store');
  try {
    const answer = await transport.open({ method: 'GET', path: BACKUP_PATH, accept: '*/*' });
    if (answer.statusCode === 200) {
      for await (const chunk of answer) yield chunk as Buffer;
      return;
    }
    if (answer.statusCode === 404) throw new Error('the server keeps its objects in etcd, which etcdctl backs up');
    const pieces: Buffer[] = [];
    for await (const chunk of answer) pieces.push(chunk as Buffer);
    throw toStatusError(answer.statusCode ?? 500, Buffer.concat(pieces).toString());
  } finally {
    transport.close();
  }
}

/** Does something with a backup of a data folder's store: of the folder, or of the server that has it. */
export async function withBackup<T>(
  dataDir: string,
  clock: Clock,
  work: (chunks: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  try {
    return await withStore(dataDir, place => work(backupOfFolder(place, clock)), { readOnly: true });
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'locked') throw error;
    const locked = error;
    return work(backupOfServer(dataDir)).catch((failed: unknown) => {
      // Whoever has the folder does not serve: another of these commands, or a server that begins or ends.
      throw failed instanceof ConnectionError ? locked : failed;
    });
  }
}

/** Writes a backup to a file, which is there as a whole and has been read again, or not at all. @throws BackupError */
export async function writeBackup(path: string, chunks: AsyncIterable<Buffer>): Promise<BackedUp> {
  const temporary = `${path}.partial`;
  const file = await open(temporary, 'w', 0o600);
  try {
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    const written = await verifyBackup(createReadStream(temporary));
    await rename(temporary, path);
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Reads all of a backup. @throws BackupError */
export async function verifyBackup(chunks: AsyncIterable<Buffer>): Promise<BackedUp> {
  let head: Head | undefined;
  let objects = 0;
  for await (const part of readBackup(chunks)) {
    if ('head' in part) ({ head } = part);
    else if ('tail' in part) ({ objects } = part.tail);
  }
  if (head === undefined) throw new BackupError('it is empty');
  return { revision: head.revision, takenAt: head.takenAt, objects };
}
