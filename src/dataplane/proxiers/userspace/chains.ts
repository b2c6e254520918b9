import type { Jump } from '../../kernel/program.js';
import type { Match, TableName } from '../../kernel/xtables/rule.js';
import type { Origin } from '../../trace.js';
import { addrtypeLocal, comment, jump, rule } from '../xtables-rules.js';

/** What comes in from Pods and other machines, and what the node itself sends. */
export const PORTALS_CONTAINER = 'KUBE-PORTALS-CONTAINER';
export const PORTALS_HOST = 'KUBE-PORTALS-HOST';
export const NODEPORT_CONTAINER = 'KUBE-NODEPORT-CONTAINER';
export const NODEPORT_HOST = 'KUBE-NODEPORT-HOST';
/** Of table filter: lets packets in that go to a proxy port. */
export const NODEPORT_NON_LOCAL = 'KUBE-NODEPORT-NON-LOCAL';

export const NAT_CHAINS: readonly string[] = [PORTALS_CONTAINER, PORTALS_HOST, NODEPORT_CONTAINER, NODEPORT_HOST];
export const FILTER_CHAINS: readonly string[] = [NODEPORT_NON_LOCAL];

const PROXY: Origin = { kind: 'Proxy', name: 'kube-proxy' };

const link = (table: TableName, chain: string, target: string, matches: readonly Match[]): Jump => ({
  table,
  rule: rule(chain, matches, jump(target), PROXY),
});

const portals = [comment('handle ClusterIPs; NOTE: this must be before the NodePort rules')];
// A node port is any local address: an address of a Service that is one, too, comes first.
const nodePorts = [
  addrtypeLocal('dst'),
  comment('handle service NodePorts; NOTE: this must be the last rule in the chain'),
];

export const JUMPS: readonly Jump[] = [
  link('nat', 'PREROUTING', PORTALS_CONTAINER, portals),
  link('nat', 'OUTPUT', PORTALS_HOST, portals),
  { ...link('nat', 'PREROUTING', NODEPORT_CONTAINER, nodePorts), append: true },
  { ...link('nat', 'OUTPUT', NODEPORT_HOST, nodePorts), append: true },
  link('filter', 'INPUT', NODEPORT_NON_LOCAL, [comment('Ensure that non-local NodePort traffic can flow')]),
];
