import { inspectStore, type Finding } from '../../storage/leveldb/inspect.js';
import { salvage, type Losses } from '../../storage/leveldb/salvage.js';
import type { StorePlace } from './place.js';

/** Makes a damaged store one that opens, and keeps it as it was aside. @returns what was lost and kept; undefined: nothing was wrong */
export async function repairStore({ dir, newestFile }: StorePlace): Promise<Losses | undefined> {
  const findings: Finding[] = [];
  await inspectStore(dir, newestFile, { found: one => findings.push(one) });
  const [first, ...others] = findings;
  if (first === undefined) return undefined;
  const more = others.length === 0 ? '' : ` (and ${others.length} more, as "kubette store check" shows)`;
  return salvage(dir, newestFile, `${first.about}: ${first.problem}${more}`);
}
