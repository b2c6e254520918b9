import type { DetectLocal } from '../../dataplane/proxiers/detect-local.js';
import type { SchedulerName } from '../../dataplane/kernel/ipvs/types.js';
import type { PortRange } from '../../dataplane/proxiers/types.js';
import type { ProxyMode } from '../../dataplane/proxiers/modes.js';

/** What kube-proxy is told by its flags or its KubeProxyConfiguration. */
export interface ProxySettings {
  readonly mode: ProxyMode;
  /** Undefined: local traffic cannot be told from other. */
  readonly detectLocal?: DetectLocal;
  readonly masqueradeAll: boolean;
  readonly masqueradeBit: number;
  /** CIDRs or 'primary'; undefined: the mode's default. */
  readonly nodePortAddresses?: readonly string[];
  readonly localhostNodePorts: boolean;
  readonly conntrackTCPLiberal: boolean;
  readonly ipvsScheduler: SchedulerName;
  readonly ipvsStrictArp: boolean;
  /** Undefined: the ephemeral ports. */
  readonly proxyPortRange?: PortRange;
  /** Positive. */
  readonly udpTimeoutMs: number;
}

/** kube-proxy's defaults, with the Pods' ranges as what is local. */
export const proxySettings = (mode: ProxyMode, clusterCidrs: readonly string[]): ProxySettings => ({
  mode,
  ...(clusterCidrs.length === 0 ? {} : { detectLocal: { kind: 'clusterCidr', cidrs: clusterCidrs } }),
  masqueradeAll: false,
  masqueradeBit: 14,
  localhostNodePorts: true,
  conntrackTCPLiberal: false,
  ipvsScheduler: 'rr',
  ipvsStrictArp: false,
  udpTimeoutMs: 250,
});
