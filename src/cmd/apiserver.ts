import { serviceAccountKeyInAdvance } from '../cluster/keys/service-account-key.js';
import { addEtcdFlags } from './add-etcd-flags.js';
import { loggingFormat } from './logging-format.js';
import { Option, type Command } from 'commander';

/** `kubette apiserver`. Flags carry kube-apiserver's names where it has one. */
export function register(program: Command): void {
  const command = program
    .command('apiserver')
    .description('serve the Kubernetes API over a store in a local folder, or over etcd')
    .option('--secure-port <port>', 'port to serve HTTPS on; 0 takes a free one', '6443')
    .option('--bind-address <ip>', 'address to listen on', '127.0.0.1')
    .option('--advertise-address <ip>', 'address that Pods reach the API server at', '172.18.0.1')
    .option('--data-dir <dir>', 'store, keys and kubeconfig files', '.kubette')
    .option('--storage <driver>', 'leveldb, memory to keep nothing, or etcd that several servers share', 'leveldb')
    .option('--accept-data-loss', 'go on with what is left of a damaged store, which is kept aside')
    .option('--service-cluster-ip-range <cidrs>', 'range of ClusterIPs, or one of each IP family', '10.96.0.0/16')
    .option('--service-node-port-range <range>', 'range of node ports', '30000-32767')
    .option('--token-auth-file <file>', 'bearer tokens: token,user,uid,"group1,group2" on each line')
    .option('--anonymous-auth <bool>', 'serve requests without credentials as system:anonymous', 'true')
    .option('--authorization-mode <modes>', 'list of RBAC, Node, AlwaysAllow, AlwaysDeny', 'Node,RBAC')
    .option('--enable-admission-plugins <names>', 'what is enabled anyway is taken, others are refused', '')
    .option('--disable-admission-plugins <names>', 'admission plugins to leave out', '')
    .option(
      '--service-account-issuer <url>',
      'issuer of service account tokens',
      'https://kubernetes.default.svc.cluster.local',
    )
    .option('--tls-cert-file <file>', 'serving certificate; made and kept in the data folder when not given')
    .option('--tls-private-key-file <file>', 'its key')
    .option('--client-ca-file <file>', 'CA of further client certificates')
    .option(
      '--requestheader-client-ca-file <file>',
      'CA of front proxies; made and kept in the data folder when not given',
    )
    .option('--requestheader-allowed-names <names>', 'common names a front proxy may have; empty: any')
    .option('--requestheader-username-headers <names>', 'headers of a user’s name', 'X-Remote-User')
    .option('--requestheader-uid-headers <names>', 'headers of a user’s UID', '')
    .option('--requestheader-group-headers <names>', 'headers of a user’s groups', 'X-Remote-Group')
    .option('--requestheader-extra-headers-prefix <prefixes>', 'how headers of a user’s extra begin', 'X-Remote-Extra-')
    .option('--proxy-client-cert-file <file>', 'certificate shown to aggregated APIs and webhooks; made when not given')
    .option('--proxy-client-key-file <file>', 'its key')
    .option('--enable-aggregator-routing <bool>', 'send to endpoints of a Service, not to its ClusterIP', 'false')
    .option('--max-requests-inflight <count>', 'reads at a time; with priority and fairness, its part of all', '400')
    .option('--max-mutating-requests-inflight <count>', 'writes at a time, likewise', '200')
    .option('--enable-priority-and-fairness <bool>', 'divide them by FlowSchemas and priority levels', 'true')
    .option('--shutdown-delay-duration <duration>', 'serve on so long after SIGTERM, while /readyz fails', '0s')
    .option(
      '--encryption-provider-config <file>',
      'apiserver.config.k8s.io/v1 EncryptionConfiguration: how values are kept',
    )
    .option('--encryption-provider-config-automatic-reload <bool>', 'take changes of that file into use', 'false')
    .option('--audit-log-path <file>', "append a line of JSON per event; '-' is standard output")
    .option('--audit-policy-file <file>', 'audit.k8s.io/v1 Policy; without one, each answered request is one line')
    .option('--audit-log-format <format>', 'json', 'json')
    .option('--audit-log-maxsize <megabytes>', 'size at which the log turns to a new file', '100')
    .option('--audit-log-maxbackup <count>', 'old files to keep; 0 keeps all', '0')
    .option('--audit-log-maxage <days>', 'days to keep old files; 0 keeps them for ever', '0')
    .option('--node-credentials <names>', 'also write kubeconfig and certificate of these nodes’ agents', '')
    .addOption(new Option('--advertise-port <port>', 'where Pods reach it, when something stands before it').hideHelp())
    .addOption(new Option('--folder-locked', 'whoever started this process has the data folder locked').hideHelp())
    .option('--exit-with-parent', 'end when the process that started this one is gone')
    .option('--quiet', 'print only problems')
    .option('-v, --v <level>', 'log level: error, warn, info, debug', 'warn')
    .addOption(loggingFormat());
  addEtcdFlags(command);
  command.action(async (options: Record<string, string | boolean>) => {
    const newServiceAccountKey = serviceAccountKeyInAdvance(String(options['dataDir']));
    const { runApiServer } = await import('./run-apiserver.js');
    await runApiServer(options, newServiceAccountKey);
  });
}
