import type { EncryptionConfiguration } from '../../server/encryption/configuration.js';
import { inspectStore, type Finding, type Summary } from '../../storage/leveldb/inspect.js';
import { createObjectCheck } from './objects.js';
import type { StorePlace } from './place.js';

export interface Checked extends Summary {
  /** Values that could not be looked at, as nothing says how they are kept. */
  readonly encrypted: number;
}

export interface CheckOptions {
  readonly found: (finding: Finding) => void;
  readonly encryption?: EncryptionConfiguration | undefined;
}

/** Reads all of a store that nobody has open, and tells what is wrong. Writes nothing into it. */
export async function checkStore(place: StorePlace, { found, encryption }: CheckOptions): Promise<Checked> {
  const objects = createObjectCheck(found, encryption);
  const summary = await inspectStore(place.dir, place.newestFile, { found, value: kv => objects.value(kv) });
  return { ...summary, encrypted: objects.end() };
}
