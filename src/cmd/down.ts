import type { Command } from 'commander';
import { addWhichOptions } from './clusters/which.js';

/** `kubette down`: stops a cluster that runs somewhere. */
export function register(program: Command): void {
  addWhichOptions(program.command('down').description('stop a cluster; what it keeps stays')).action(
    async (options: Record<string, string>) => {
      const { runDown } = await import('./run-clusters.js');
      await runDown(options);
    },
  );
}
