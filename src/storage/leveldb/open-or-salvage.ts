import { StorageError } from '../kv-store.js';
import { storageError } from './errors.js';
import { newestRevisionFile, openDb, type Opened, type OpenOptions } from './open.js';
import { salvage } from './salvage.js';

export interface SalvageOptions extends Pick<OpenOptions, 'newestRevisionFile'> {
  /** Go on with what is left of a damaged store; called with what was lost, in lines. Absent: such a store is refused. */
  readonly acceptDataLoss?: (losses: readonly string[]) => void;
}

/** Opens a store, or what is left of it where that is accepted. @throws StorageError */
export async function openOrSalvage(dir: string, options: SalvageOptions): Promise<Opened> {
  const open: OpenOptions =
    options.newestRevisionFile === undefined ? {} : { newestRevisionFile: options.newestRevisionFile };
  try {
    return await openDb(dir, open);
  } catch (error) {
    const { acceptDataLoss } = options;
    if (acceptDataLoss === undefined || !(error instanceof StorageError) || error.code !== 'damaged') throw error;
    try {
      acceptDataLoss(await salvage(dir, newestRevisionFile(dir, options), error.message));
    } catch (cause) {
      throw storageError(cause, dir);
    }
    return openDb(dir, open);
  }
}
