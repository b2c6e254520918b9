import type { Command } from 'commander';
import { SHELLS } from './completion/shells.js';

/** `kubette completion`: what a shell has to know to complete commands and flags. */
export function register(program: Command): void {
  program
    .command('completion')
    .description('print a completion script: source <(kubette completion bash)')
    .argument('<shell>', SHELLS.join(', '))
    .action(async (shell: string) => {
      const { printCompletion } = await import('./completion/print.js');
      printCompletion(shell, program);
    });
}
