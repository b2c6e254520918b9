import type { Command } from 'commander';

/** `kubette trace`: one real request of a Pod, explained step by step. */
export function register(program: Command): void {
  program
    .command('trace')
    .description('send a request from a Pod and print every step: name lookup, rules, NAT, route, answer')
    .argument('<pod>', 'namespace/name, or a name in the default namespace')
    .argument('<url>', 'e.g. http://my-app, tcp://10.96.0.10:53 or udp://kube-dns.kube-system:53')
    .option('--kubeconfig <file>', 'how to reach the API server; default: $KUBECONFIG, then .kubette/kubeconfig')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--dns', 'also show how each name query crossed the rules')
    .action(async (pod: string, url: string, options: Record<string, string | boolean>) => {
      const { runTrace } = await import('./run-trace.js');
      await runTrace(pod, url, options);
    });
}
