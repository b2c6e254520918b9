/** What the agent's settings are in a KubeletConfiguration. */
export interface ConfigurationFacts {
  readonly port: number;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly maxPods: number;
}

/** The KubeletConfiguration that this agent behaves by, as GET /configz shows it: only what is so. */
export const kubeletConfiguration = ({ port, clusterDns, clusterDomain, maxPods }: ConfigurationFacts): object => ({
  enableServer: true,
  syncFrequency: '1m0s',
  address: '0.0.0.0',
  port,
  authentication: {
    x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
    webhook: { enabled: false },
    anonymous: { enabled: false },
  },
  healthzPort: 10248,
  healthzBindAddress: '127.0.0.1',
  clusterDomain,
  clusterDNS: [clusterDns],
  nodeStatusUpdateFrequency: '10s',
  nodeStatusReportFrequency: '5m0s',
  nodeLeaseDurationSeconds: 40,
  cgroupDriver: 'systemd',
  cgroupsPerQOS: true,
  maxPods,
  enforceNodeAllocatable: ['pods'],
  resolvConf: '/etc/resolv.conf',
  registerNode: true,
  localStorageCapacityIsolation: true,
  containerLogMaxSize: '10Mi',
  containerLogMaxFiles: 5,
  configMapAndSecretChangeDetectionStrategy: 'Watch',
  enableDebuggingHandlers: true,
  enableSystemLogHandler: true,
  crashLoopBackOff: { maxContainerRestartPeriod: '5m0s' },
  failSwapOn: false,
});
