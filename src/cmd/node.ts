import type { Command } from 'commander';
import { addNodeFlags } from './node-flags.js';
import { addWhichOptions } from './clusters/which.js';

/** `kubette node`: changes the nodes of a running cluster. */
export function register(program: Command): void {
  const node = program.command('node').description('add, stop, start and delete nodes of a running cluster');
  const commands = [
    ['add', 'start one more', '[count]', 'how many'],
    ['stop', 'end its agent, as a machine that is switched off', '<node>', 'e.g. node-2'],
    ['start', 'start its agent again', '<node>', 'e.g. node-2'],
    ['delete', 'end its agent and remove its Node', '<node>', 'e.g. node-2'],
  ] as const;
  for (const [verb, description, argument, what] of commands) {
    const command = addWhichOptions(node.command(verb).description(description).argument(argument, what));
    if (verb === 'add') addNodeFlags(command);
    command.action(async (given: string | undefined, options: Record<string, string>) => {
      const { runNode } = await import('./run-node.js');
      await runNode(verb, given, options);
    });
  }
}
