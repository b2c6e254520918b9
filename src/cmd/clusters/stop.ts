import { rm } from 'node:fs/promises';
import type { Clock } from '../../machinery/clock.js';
import { isInUse, readRecord, runningRecord } from './record.js';
import { forget } from './registry.js';
import type { Which } from './which.js';

/** `up` gives its children four seconds. */
const PATIENCE_MS = 15_000;
const POLL_MS = 50;

/** What a command says of the cluster it is about. */
export const titleOf = ({ name, dataDir }: Which): string =>
  name === undefined ? `the cluster in ${dataDir}` : `cluster ${name}`;

/** Stops `up` and all that it has started; whether it ran. @throws Error when it does not end */
export async function stopCluster(which: Which, clock: Clock): Promise<boolean> {
  const record = await runningRecord(which.dataDir);
  if (record === undefined) return false;
  process.kill(record.pid, 'SIGTERM');
  const until = clock.monotonic() + PATIENCE_MS;
  while (await isInUse(which.dataDir)) {
    if (clock.monotonic() > until) throw new Error(`${titleOf(which)} (process ${record.pid}) does not end`);
    await clock.sleep(POLL_MS);
  }
  return true;
}

/** Stops it, and removes all that it kept. @throws Error when the folder is not one that `up` made */
export async function deleteCluster(which: Which, clock: Clock): Promise<void> {
  if ((await readRecord(which.dataDir)) === undefined)
    throw new Error(`there is no cluster in ${which.dataDir}; "kubette list" shows those there are`);
  await stopCluster(which, clock);
  await rm(which.dataDir, { recursive: true });
  await forget(which.dataDir);
}
