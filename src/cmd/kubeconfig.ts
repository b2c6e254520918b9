import type { Command } from 'commander';
import { addWhichOptions } from './clusters/which.js';

/** `kubette kubeconfig`: how to reach a cluster, for kubectl. */
export function register(program: Command): void {
  const command = program
    .command('kubeconfig')
    .description('print the kubeconfig of a cluster, or put it into your own');
  addWhichOptions(command).action(async (options: Record<string, string>) => {
    const { runKubeconfig } = await import('./run-kubeconfig.js');
    await runKubeconfig('print', options);
  });
  const file = [
    '--kubeconfig <file>',
    'the file to change; default: the first of $KUBECONFIG, or ~/.kube/config',
  ] as const;
  for (const [verb, description] of [
    ['merge', 'put it into your own file, and choose its context'],
    ['remove', 'take it out of your own file again'],
  ] as const)
    addWhichOptions(
      command
        .command(verb)
        .description(description)
        .option(...file),
    ).action(async (options: Record<string, string>, action: Command) => {
      const { runKubeconfig } = await import('./run-kubeconfig.js');
      await runKubeconfig(verb, { ...options, ...action.optsWithGlobals() });
    });
}
