import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMIN } from '../cluster/keys/kubeconfig.js';
import { changeKubeconfig, merged, userKubeconfig, without } from './clusters/kubeconfig.js';
import { readRecord } from './clusters/record.js';
import { contextOf, whichCluster, type Flags } from './clusters/which.js';
import { fail } from './process.js';

/** Prints a cluster's kubeconfig, or puts it into a file of the user's, or takes it out of that. */
export async function runKubeconfig(verb: 'print' | 'merge' | 'remove', flags: Flags): Promise<void> {
  try {
    const { name, dataDir } = whichCluster(flags);
    const file = typeof flags['kubeconfig'] === 'string' ? flags['kubeconfig'] : userKubeconfig();
    const context = contextOf((await readRecord(dataDir))?.name ?? name);
    if (verb === 'remove') {
      const found = await changeKubeconfig(file, text => without(text, context, file));
      process.stdout.write(found ? `${context} is no longer in ${file}\n` : `${context} is not in ${file}\n`);
      return;
    }
    const own = await ownKubeconfig(dataDir);
    if (verb === 'print') return void process.stdout.write(own);
    await changeKubeconfig(file, text => merged(text, own, file));
    process.stdout.write(`${context} is in ${file}, and chosen\n`);
  } catch (error) {
    fail('kubeconfig', error);
  }
}

async function ownKubeconfig(dataDir: string): Promise<string> {
  try {
    return await readFile(join(dataDir, ADMIN.file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`there is no cluster in ${dataDir}; "kubette list" shows those there are`, { cause: error });
  }
}
