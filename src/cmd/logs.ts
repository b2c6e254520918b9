import type { Command } from 'commander';
import { addWhichOptions } from './clusters/which.js';

/** `kubette logs`: what the parts of a cluster have said. */
export function register(program: Command): void {
  addWhichOptions(
    program
      .command('logs')
      .description('print what a part of a cluster has said: apiserver, controller-manager, dns, node-1, …')
      .argument('[component]', 'default: all of them, one after the other')
      .option('-f, --follow', 'go on with what is said from now on'),
  ).action(async (component: string | undefined, options: Record<string, string | boolean>) => {
    const { runLogs } = await import('./run-clusters.js');
    await runLogs(component, options);
  });
}
