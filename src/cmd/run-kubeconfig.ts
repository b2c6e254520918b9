import { changeKubeconfig, mergeInto, ownKubeconfig, userKubeconfig, without } from './clusters/kubeconfig.js';
import { readRecord } from './clusters/record.js';
import { contextOf, whichCluster, type Flags } from './clusters/which.js';
import { fail } from './process.js';

/** Prints a cluster's kubeconfig, or puts it into a file of the user's, or takes it out of that. */
export async function runKubeconfig(verb: 'print' | 'merge' | 'remove', flags: Flags): Promise<void> {
  try {
    const { name, dataDir } = whichCluster(flags);
    const file = typeof flags['kubeconfig'] === 'string' ? flags['kubeconfig'] : userKubeconfig();
    if (verb === 'print') return void process.stdout.write(await ownKubeconfig(dataDir));
    if (verb === 'merge') return void process.stdout.write(`${await mergeInto(file, dataDir)}\n`);
    const context = contextOf((await readRecord(dataDir))?.name ?? name);
    const found = await changeKubeconfig(file, text => without(text, context, file));
    process.stdout.write(found ? `${context} is no longer in ${file}\n` : `${context} is not in ${file}\n`);
  } catch (error) {
    fail('kubeconfig', error);
  }
}
