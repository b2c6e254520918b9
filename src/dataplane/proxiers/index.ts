import type { DeepReadonly, EndpointSlice, Service } from '../../machinery/types.js';
import type { Program } from '../kernel/program.js';
import { createIptablesProxier } from './iptables/proxier.js';
import { createIpvsProxier } from './ipvs/proxier.js';
import { createNftablesProxier } from './nftables/proxier.js';
import { createUserspaceProxier } from './userspace/proxier.js';
import type { CreateProxier, Proxier, ProxierConfig } from './types.js';

/** The modes: a folder and a line each. Nothing else names one. */
const PROXIERS = {
  iptables: createIptablesProxier,
  nftables: createNftablesProxier,
  ipvs: createIpvsProxier,
  userspace: createUserspaceProxier,
} satisfies Record<string, CreateProxier>;

export type ProxyMode = keyof typeof PROXIERS;
export const PROXY_MODES = Object.keys(PROXIERS) as readonly ProxyMode[];
export const isProxyMode = (text: string): text is ProxyMode => Object.hasOwn(PROXIERS, text);
/** kube-proxy's default on Linux. */
export const DEFAULT_PROXY_MODE: ProxyMode = 'iptables';

/** The mode of the i-th node: modes are dealt in turn. */
export const dealt = (modes: readonly ProxyMode[], i: number): ProxyMode =>
  modes[i % modes.length] ?? DEFAULT_PROXY_MODE;

export interface ProxyConfig extends ProxierConfig {
  readonly mode: ProxyMode;
}

/** See `Proxier` for the contract. */
export const createProxier = (config: ProxyConfig): Proxier => PROXIERS[config.mode](config);

/** The complete program for a fixed state, e.g. to print it. A proxier comes to the same step by step. */
export function compile(
  config: ProxyConfig,
  state: {
    services: Iterable<DeepReadonly<Service>>;
    slices: Iterable<DeepReadonly<EndpointSlice>>;
    nodeLabels?: Readonly<Record<string, string>>;
    podCidrs?: readonly string[];
    serviceCidrs?: readonly string[];
  },
): Program {
  const proxier = createProxier(config);
  proxier.setNode(state.nodeLabels ?? {}, state.podCidrs);
  if (state.serviceCidrs !== undefined) proxier.setServiceCidrs(state.serviceCidrs);
  for (const service of state.services) proxier.onServiceUpdate(service);
  for (const slice of state.slices) proxier.onSliceUpdate(slice);
  proxier.sync();
  return proxier.program();
}
