import { readFile } from 'node:fs/promises';
import { BehaviourFileError } from '../containers/behaviour/errors.js';
import { readBehaviourFile, type BehaviourFile } from '../containers/behaviour/file.js';
import { FlagError } from './process.js';

/** What --behaviour names; undefined: nothing. @throws FlagError naming the line and the field */
export async function behaviourFlag(path: string): Promise<BehaviourFile | undefined> {
  if (path === '') return undefined;
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new FlagError(`--behaviour: ${(error as Error).message}`);
  });
  try {
    return await readBehaviourFile(text, path);
  } catch (error) {
    if (error instanceof BehaviourFileError) throw new FlagError(`--behaviour: ${error.message}`);
    throw error;
  }
}
