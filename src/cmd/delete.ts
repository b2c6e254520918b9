import type { Command } from 'commander';
import { addWhichOptions } from './clusters/which.js';

/** `kubette delete`: stops a cluster, and removes what it kept. */
export function register(program: Command): void {
  addWhichOptions(program.command('delete').description('stop a cluster and remove all that it has kept')).action(
    async (options: Record<string, string>) => {
      const { runDelete } = await import('./run-clusters.js');
      await runDelete(options);
    },
  );
}
