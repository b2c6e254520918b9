import { serviceAccountKeyInAdvance } from '../cluster/keys/service-account-key.js';
import { whichCluster } from './clusters/which.js';
import { settingsOf, type UpSettings } from './up/settings.js';
import { fail } from './process.js';
import { addEtcdFlags } from './add-etcd-flags.js';
import { loggingFormat } from './logging-format.js';
import { DEFAULT_PROXY_MODE, PROXY_MODES } from '../dataplane/proxiers/modes.js';
import { addExitCodes } from './exit-codes.js';
import { addProxyFlags } from './proxy-flags.js';
import type { Command } from 'commander';

/** `kubette up`: the whole control plane as separate processes. */
export function register(program: Command): void {
  const command = program
    .command('up')
    .description('start API server, controller manager, DNS and node agents; stop them all with Ctrl-C')
    .option('--name <name>', 'of the cluster, where several run: its context is kubette-NAME')
    .option('-d, --detach', 'start it in the background; "kubette down" stops it')
    .option('--nodes <n>', 'how many node agents; default: as many as there were, or 3')
    .option(
      '--nodes-per-agent <n>',
      'how many nodes share a process: light ones, without node ports on this machine; default: 1, or 1000 beyond 250 nodes',
    )
    .option('--config <file>', 'YAML or JSON: nodes, objects, and flags (api-schemas/up-config.v1.json)')
    .option('--data-dir <dir>', 'where everything is kept, the kubeconfig too; default: .kubette, or one for the name')
    .option('--objects <path>', 'applied when everything is ready: a file or folder; may be repeated', collect, [])
    .option('--kubeconfig-merge', 'put it into your own kubeconfig, too, as "kubette kubeconfig merge" does')
    .option('--kubernetes-version <version>', 'refused unless it is the one that is played')
    .option('--secure-port <port>', 'port of the API server; 0 takes a free one', '6443')
    .option('--bind-address <ip>', 'address the API server listens on', '127.0.0.1')
    .option('--storage <driver>', 'leveldb, memory to keep nothing, or etcd', 'leveldb')
    .option('--apiservers <n>', 'how many API servers; several want --storage etcd, and stand behind a balancer', '1')
    .option('--controller-managers <n>', 'how many controller managers, of which one leads', '1')
    .option('--accept-data-loss', 'go on with what is left of a damaged store, which is kept aside')
    .option('--token-auth-file <file>', 'bearer tokens, in kube-apiserver’s CSV form')
    .option('--authorization-mode <modes>', 'passed to the API server')
    .option(
      '--service-cluster-ip-range <cidrs>',
      'range of ClusterIPs; of both families, comma separated, the cluster is dual stack: 10.96.0.0/16,fd00:10:96::/112',
      '10.96.0.0/16',
    )
    .option('--cluster-cidr <cidrs>', 'ranges of Pod addresses; default: one of each family of the ClusterIPs')
    .option(
      '--load-balancer-cidr <cidrs>',
      'ranges for Services of type LoadBalancer; empty: none get an address; default: one of each family of the Pods',
    )
    .option(
      '--proxy-mode <modes>',
      `how nodes program Services: ${PROXY_MODES.join(', ')}; several, comma separated, are dealt to the nodes in turn`,
      DEFAULT_PROXY_MODE,
    )
    .option('--behaviour <file>', 'what containers are told to do: rules, and Stages of kwok')
    .option('--publish', 'make the addresses of load balancers reachable on loopback; node ports are anyway')
    .option('--dns-forward <servers>', 'who the cluster DNS asks for all other names, as of dns --forward', '')
    .option('--controllers <list>', "as of controller-manager, e.g. '*,-scheduler'", '*')
    .option('--no-metrics', 'without the metrics API (kubectl top, autoscaling by CPU and memory)')
    .option('--no-ingress', 'without the ingress controller, which comes with the first Ingress of class kubette')
    .option('-v, --verbose', 'a line for each Event, each object that is as it was not, each load of rules')
    .option('--quiet', 'print only problems')
    .option('--v <level>', 'log level of all processes: error, warn, info, debug', 'error')
    .addOption(loggingFormat());
  addExitCodes(command, {
    0: 'it was stopped; with --detach: it is ready',
    1: 'it could not start, or an object was refused; the last lines of stderr say why',
    130: 'a second Ctrl-C came before it had stopped',
  });
  addEtcdFlags(command, 'default: an etcd of this machine is started with the cluster');
  addProxyFlags(command).action(async () => {
    const { settings, dataDir } = await told(command);
    if (settings.flags['detach'] === true) {
      const { runDetached } = await import('./run-detached.js');
      return runDetached(settings);
    }
    const newServiceAccountKey = serviceAccountKeyInAdvance(dataDir);
    const { runUp } = await import('./run-up.js');
    await runUp(settings, newServiceAccountKey);
  });
}

const collect = (value: string, before: string[]): string[] => [...before, value];

async function told(command: Command): Promise<{ readonly settings: UpSettings; readonly dataDir: string }> {
  try {
    const settings = await settingsOf(command);
    return { settings, dataDir: whichCluster(settings.flags).dataDir };
  } catch (error) {
    fail('up', error);
  }
}
