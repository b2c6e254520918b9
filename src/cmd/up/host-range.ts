import { readRecord, runningRecord } from '../clusters/record.js';
import { clusters } from '../clusters/registry.js';

const RANGES = 256;

const rangeOf = (bindAddress: string | undefined): number | undefined => {
  const [, , third] = (bindAddress ?? '').split('.');
  return third === undefined ? undefined : Number(third);
};

/**
 * Which of 127.0.0.0/24, 127.0.1.0/24, … is for the nodes of this cluster: the one that it had, or the first that no other
 * running cluster has. Two clusters that open the same node port must not fight over an address.
 */
export async function hostRange(dataDir: string): Promise<number> {
  const taken = new Set<number>();
  for (const other of await clusters()) {
    if (other.dataDir === dataDir) continue;
    const range = rangeOf((await runningRecord(other.dataDir).catch(() => undefined))?.nodes[0]?.bindAddress);
    if (range !== undefined) taken.add(range);
  }
  const own = rangeOf((await readRecord(dataDir))?.nodes[0]?.bindAddress);
  if (own !== undefined && !taken.has(own)) return own;
  for (let range = 0; range < RANGES; range++) if (!taken.has(range)) return range;
  throw new Error(`there are ${RANGES} clusters already`);
}
