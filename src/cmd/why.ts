import type { Command } from 'commander';
import { addExitCodes } from './exit-codes.js';

/** `kubette why`: the shortest true answer to why something does not work. */
export function register(program: Command): void {
  const command = program
    .command('why')
    .description('say in a few words why a Service, a Pod, a Deployment or a URL does not work, or that it does')
    .argument('<what>', 'svc/NAME, svc/NAME:PORT, pod/NAME, deploy/NAME, node/NAME or a URL, e.g. http://web:8080')
    .option('-n, --namespace <name>', "whose names are meant; default: the kubeconfig's")
    .option('--from <sender>', 'who asks: a Pod, deploy/NAME, svc/NAME, node/NAME or host (the machine outside)')
    .option('--kubeconfig <file>', 'how to reach the API server; default: $KUBECONFIG, then .kubette/kubeconfig')
    .option('--json', 'the answer as JSON')
    // commander ends with 1, which is said of what does not work.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .action(async (what: string, options: Record<string, string | boolean>) => {
      const { runWhy } = await import('./run-why.js');
      await runWhy(what, options);
    });
  addExitCodes(command, {
    0: 'it works',
    1: 'there is a cause, which is printed',
    2: 'the command is wrong, or the cluster is not there',
  });
}
