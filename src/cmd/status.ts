import type { Command } from 'commander';
import { addExitCodes } from './exit-codes.js';
import { addWhichOptions } from './clusters/which.js';

/** `kubette status`: whether a cluster runs, and which of its parts are ready. */
export function register(program: Command): void {
  const command = program.command('status').description('say whether a cluster runs, and what of it is ready');
  addExitCodes(addWhichOptions(command), { 0: 'it runs', 1: 'it does not, or not yet' })
    .option('--json', 'for programs')
    .action(async (options: Record<string, string | boolean>) => {
      const { runStatus } = await import('./run-clusters.js');
      await runStatus(options);
    });
}
