import type { Jump } from '../../kernel/program.js';
import type { TableName } from '../../kernel/xtables/rule.js';
import type { Origin } from '../../trace.js';
import { comment, jump, rule } from '../xtables-rules.js';

export const SERVICES = 'KUBE-SERVICES';
export const POSTROUTING = 'KUBE-POSTROUTING';
export const NODE_PORT = 'KUBE-NODE-PORT';
export const LOAD_BALANCER = 'KUBE-LOAD-BALANCER';
export const MARK_MASQ = 'KUBE-MARK-MASQ';
export const FORWARD = 'KUBE-FORWARD';
export const PROXY_FIREWALL = 'KUBE-PROXY-FIREWALL';
export const SOURCE_RANGES_FIREWALL = 'KUBE-SOURCE-RANGES-FIREWALL';
export const IPVS_FILTER = 'KUBE-IPVS-FILTER';
export const IPVS_OUT_FILTER = 'KUBE-IPVS-OUT-FILTER';

export const NAT_CHAINS: readonly string[] = [SERVICES, POSTROUTING, NODE_PORT, LOAD_BALANCER, MARK_MASQ];
export const FILTER_CHAINS: readonly string[] = [
  FORWARD,
  NODE_PORT,
  PROXY_FIREWALL,
  SOURCE_RANGES_FIREWALL,
  IPVS_FILTER,
  IPVS_OUT_FILTER,
];

export const PROXY: Origin = { kind: 'Proxy', name: 'kube-proxy' };

const link = (table: TableName, chain: string, target: string, text: string): Jump => ({
  table,
  rule: rule(chain, [comment(text)], jump(target), PROXY),
});

/** In the order in which they are inserted: each lands above the one before. */
export const JUMPS: readonly Jump[] = [
  link('nat', 'OUTPUT', SERVICES, 'kubernetes service portals'),
  link('nat', 'PREROUTING', SERVICES, 'kubernetes service portals'),
  link('nat', 'POSTROUTING', POSTROUTING, 'kubernetes postrouting rules'),
  link('filter', 'FORWARD', FORWARD, 'kubernetes forwarding rules'),
  link('filter', 'INPUT', NODE_PORT, 'kubernetes health check rules'),
  link('filter', 'INPUT', PROXY_FIREWALL, 'kube-proxy firewall rules'),
  link('filter', 'FORWARD', PROXY_FIREWALL, 'kube-proxy firewall rules'),
  link('filter', 'INPUT', IPVS_FILTER, 'kubernetes ipvs access filter'),
  link('filter', 'OUTPUT', IPVS_OUT_FILTER, 'kubernetes ipvs access filter'),
];
