import type { Command } from 'commander';

/** `kubette list`: all clusters of this user on this machine. */
export function register(program: Command): void {
  program
    .command('list')
    .description('list the clusters that were started on this machine and not deleted')
    .option('--json', 'for programs')
    .action(async (options: Record<string, string | boolean>) => {
      const { runList } = await import('./run-clusters.js');
      await runList(options);
    });
}
