import type { Command } from 'commander';
import { addWhichOptions } from './clusters/which.js';
import { addExitCodes } from './exit-codes.js';

type Options = Record<string, string | boolean>;

const ENCRYPTION = '--encryption-provider-config <file>';

/** `kubette store`: looks after the store in a data folder. */
export function register(program: Command): void {
  const store = program
    .command('store')
    .description('check, repair, back up, restore and shrink the store of a cluster');

  const check = addWhichOptions(
    store
      .command('check')
      .description('read the whole store of a cluster that does not run, and say what is wrong; changes nothing'),
  )
    .option(ENCRYPTION, 'as of kubette apiserver: what is encrypted is looked at, too')
    .option('--json', 'print it as JSON');
  addExitCodes(check, { 0: 'nothing is wrong', 1: 'something is, or the store cannot be read' }).action(
    async (options: Options) => (await import('./run-store.js')).runCheck(options),
  );

  addWhichOptions(
    store
      .command('repair')
      .description(
        'keep what can be read of the store of a cluster that does not run, and say what is lost; the store as it was is kept aside',
      ),
  ).action(async (options: Options) => (await import('./run-store.js')).runRepair(options));

  addWhichOptions(
    store
      .command('backup')
      .description(
        'write all that is in the store to a file, whether the cluster runs or not; keys and logs are not in it',
      )
      .argument('<file>', 'what is there is replaced; - is standard output'),
  ).action(async (file: string, options: Options) => (await import('./run-store.js')).runBackup(file, options));

  addWhichOptions(
    store
      .command('restore')
      .description('make the store of a cluster that does not run what is in a backup; every client lists anew')
      .argument('<file>', '- is standard input')
      .option('--force', 'also where there is a store, which is kept aside'),
  ).action(async (file: string, options: Options) => (await import('./run-store.js')).runRestore(file, options));

  addWhichOptions(
    store
      .command('defrag')
      .description('give back the room that old revisions took in the store of a cluster that does not run'),
  ).action(async (options: Options) => (await import('./run-store.js')).runDefrag(options));
}
