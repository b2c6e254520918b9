import type { Command } from 'commander';

/** `kubette test-server`: a cluster for tests in any language. */
export function register(program: Command): void {
  program
    .command('test-server')
    .description('a cluster in memory for tests: prints one line of JSON when it is ready, ends with its parent')
    .option('--nodes <nodes>', 'how many nodes run Pods, or as JSON what they are like: [{"zone": "a"}]', '1')
    .option('--api-server-only', 'no controllers and no nodes, as envtest')
    .option('--crds <path>', 'CustomResourceDefinitions: a file or folder; may be repeated', collect, [])
    .option('--objects <path>', 'what is there from the beginning: a file or folder; may be repeated', collect, [])
    .option('--controllers <names>', "'*' runs all, '-name' leaves one out", '*')
    .option('--ingress', 'serve Ingresses: the controller comes with the first one')
    .option('--proxy-mode <modes>', 'how the nodes implement Services, dealt to them in turn', 'iptables')
    .option('--clock <kind>', 'real, or virtual: time moves when it is told to over the control URL', 'real')
    .option('--start-time <time>', 'when a virtual clock begins, RFC 3339 or milliseconds since 1970; default: now')
    .option('--seed <n>', 'what is left to chance is the same for the same seed')
    .option('--behaviour <file>', 'what containers are told to do: rules, and Stages of kwok; a file or its text')
    .option('--record <what>', 'of requests: Metadata, or Request for bodies as well', 'Metadata')
    .option('--record-limit <count>', 'how many requests are kept, the newest', '10000')
    .option('--service-cluster-ip-range <cidrs>', 'range of ClusterIPs, or one of each IP family', '10.96.0.0/16')
    .action(async (options: Record<string, string | boolean | string[]>) => {
      const { runTestServer } = await import('./run-test-server.js');
      await runTestServer(options);
    });
}

const collect = (value: string, before: string[]): string[] => [...before, value];
