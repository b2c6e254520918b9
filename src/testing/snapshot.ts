import { formatTime } from '../machinery/clock.js';
import type { KvStore } from '../storage/kv-store.js';
import type { StoredProblem } from '../server/registry/stored-problem.js';
import { ofRunningCluster } from './living-objects.js';
import { restoreState, type ResetOptions, type Resettable } from './reset.js';
import { SnapshotError } from './errors.js';
import { readSnapshot, writeSnapshot } from './snapshot-file.js';
import { stateOf } from './store-state.js';

/** Whose objects are restored from a file. */
export interface Restorable extends Resettable {
  readonly api: Resettable['api'] & { storedProblem(): StoredProblem };
}

/** All objects of a cluster at one moment, as a file that can be sent around. Its keys and Leases are not in it. */
export async function takeSnapshot(store: Pick<KvStore, 'range'>, nowMs: number): Promise<Buffer> {
  const state = await stateOf(store);
  const told = new Map([...state].filter(([key]) => !ofRunningCluster.isLease(key)));
  return writeSnapshot(told, formatTime(nowMs));
}

/**
 * Makes the objects of a cluster those of a snapshot, which may be another one's. What a cluster says of itself stays as this
 * one has it: where its API server, DNS and metrics are, its certificates, where its nodes are reached. Tokens that
 * the other has signed are no good here. Nothing is changed by a file that is refused.
 * @throws SnapshotError saying what is wrong with the file
 */
export async function restoreSnapshot(cluster: Restorable, file: Uint8Array, options: ResetOptions): Promise<void> {
  const wanted = readSnapshot(file);
  const problemOf = cluster.api.storedProblem();
  for (const [key, { value }] of wanted) {
    const problem = problemOf(key, Buffer.from(value));
    if (problem !== undefined) throw new SnapshotError(`${JSON.stringify(key)}: ${problem}`);
  }
  await restoreState(cluster, wanted, { ...options, keeps: ofRunningCluster.keeps });
}
