import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { FILE_PROBLEMS } from '../cluster/file-problems.js';
import { withBackup, writeBackup } from '../cluster/store-care/backup.js';
import { checkStore } from '../cluster/store-care/check.js';
import { defragStore } from '../cluster/store-care/defrag.js';
import { withStore } from '../cluster/store-care/place.js';
import { repairStore } from '../cluster/store-care/repair.js';
import { restoreStore } from '../cluster/store-care/restore.js';
import { realClock } from '../machinery/clock.js';
import { BackupError } from '../storage/backup/format.js';
import type { Finding } from '../storage/leveldb/inspect.js';
import { encryptionOf } from './apiserver-settings.js';
import { whichCluster, type Flags } from './clusters/which.js';
import { fail } from './process.js';
import { formatBackedUp, formatBytes, formatRestored, formatSummary, problemsText } from './store/text.js';

const say = (text: string): void => void process.stdout.write(text);

async function run(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    fail('store', error);
  }
}

/** Exit code 0: nothing is wrong. */
export const runCheck = (flags: Flags): Promise<void> =>
  run(async () => {
    const { dataDir } = whichCluster(flags);
    const encryption = await encryptionOf(flags);
    const asJson = flags['json'] === true;
    const findings: Finding[] = [];
    const found = (finding: Finding): void => {
      findings.push(finding);
      if (!asJson) say(`${finding.about}: ${finding.problem}\n`);
    };
    const checked = await withStore(dataDir, place => checkStore(place, { found, encryption }), { readOnly: true });
    say(asJson ? `${JSON.stringify({ ...checked, findings }, undefined, 2)}\n` : formatSummary(checked));
    if (findings.length > 0) throw new Error(problemsText(findings.length));
  });

export const runRepair = (flags: Flags): Promise<void> =>
  run(async () => {
    const losses = await withStore(whichCluster(flags).dataDir, repairStore);
    say(losses === undefined ? 'nothing is wrong; nothing was changed\n' : losses.map(line => `${line}\n`).join(''));
  });

export const runDefrag = (flags: Flags): Promise<void> =>
  run(async () => {
    const { before, after } = await withStore(whichCluster(flags).dataDir, defragStore);
    say(`${formatBytes(before)} before, ${formatBytes(after)} after\n`);
  });

export const runBackup = (file: string, flags: Flags): Promise<void> =>
  run(async () => {
    const { dataDir } = whichCluster(flags);
    if (file === '-') return withBackup(dataDir, realClock, chunks => pipeline(chunks, process.stdout));
    const written = await withBackup(dataDir, realClock, chunks => writeBackup(file, chunks)).catch(named(file));
    say(`${formatBackedUp(written)} in ${file} (${formatBytes((await stat(file)).size)})\n`);
  });

export const runRestore = (file: string, flags: Flags): Promise<void> =>
  run(async () => {
    const { dataDir } = whichCluster(flags);
    const chunks = file === '-' ? process.stdin : chunksOf(file);
    const restored = await restoreStore(dataDir, chunks, { force: flags['force'] === true }).catch(named(file));
    say(formatRestored(restored, dataDir));
  });

/** A file that is opened once somebody reads it. */
async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(file)) yield chunk as Buffer;
}

/** What is wrong with a backup, or with its file, is told with its name. */
const named =
  (file: string) =>
  (error: unknown): never => {
    const { code, syscall } = error as NodeJS.ErrnoException;
    const problem = syscall === undefined ? undefined : FILE_PROBLEMS[code ?? ''];
    if (error instanceof BackupError || problem !== undefined)
      throw new Error(`${file}: ${problem ?? (error as Error).message}`, { cause: error });
    throw error;
  };
