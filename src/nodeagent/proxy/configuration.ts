import type { PortRange } from '../../dataplane/proxiers/types.js';
import { formatDuration } from '../../machinery/duration.js';
import type { ProxySettings } from './proxy-settings.js';

export interface ConfigurationFacts {
  readonly nodeName: string;
  readonly settings: ProxySettings;
  readonly minSyncPeriodMs: number;
  readonly syncPeriodMs: number;
}

const detectLocal = ({ detectLocal: detect }: ProxySettings) => ({
  BridgeInterface: detect?.kind === 'bridgeInterface' ? detect.name : '',
  ClusterCIDRs: detect?.kind === 'clusterCidr' ? detect.cidrs : [],
  InterfaceNamePrefix: detect?.kind === 'interfaceNamePrefix' ? detect.prefix : '',
});

const rangeText = ({ first, last }: PortRange): string => `${first}-${last}`;

const MODES = {
  clusterCidr: 'ClusterCIDR',
  nodeCidr: 'NodeCIDR',
  bridgeInterface: 'BridgeInterface',
  interfaceNamePrefix: 'InterfaceNamePrefix',
} as const;

/** The KubeProxyConfiguration that the proxy behaves by, as GET /configz shows it: only what is so. */
export const proxyConfiguration = ({
  nodeName,
  settings,
  minSyncPeriodMs,
  syncPeriodMs,
}: ConfigurationFacts): object => ({
  'kubeproxy.config.k8s.io': {
    Linux: { Conntrack: { TCPBeLiberal: settings.conntrackTCPLiberal }, MasqueradeAll: settings.masqueradeAll },
    HostnameOverride: nodeName,
    HealthzBindAddress: '0.0.0.0:10256',
    MetricsBindAddress: '127.0.0.1:10249',
    Mode: settings.mode,
    IPTables: { MasqueradeBit: settings.masqueradeBit, LocalhostNodePorts: settings.localhostNodePorts },
    IPVS: { Scheduler: settings.ipvsScheduler, StrictARP: settings.ipvsStrictArp },
    NFTables: { MasqueradeBit: settings.masqueradeBit },
    DetectLocalMode: MODES[settings.detectLocal?.kind ?? 'clusterCidr'],
    DetectLocal: detectLocal(settings),
    NodePortAddresses: settings.nodePortAddresses ?? null,
    PortRange: settings.proxyPortRange === undefined ? '' : rangeText(settings.proxyPortRange),
    UDPIdleTimeout: formatDuration(settings.udpTimeoutMs),
    SyncPeriod: formatDuration(syncPeriodMs),
    MinSyncPeriod: formatDuration(minSyncPeriodMs),
  },
});
