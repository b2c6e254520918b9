import type { DeepReadonly, EndpointSlice, Service } from '../../machinery/types.js';
import type { Program } from '../kernel/program.js';
import { createIptablesProxier } from './iptables/proxier.js';
import { createIpvsProxier } from './ipvs/proxier.js';
import type { ProxyMode } from './modes.js';
import { createNftablesProxier } from './nftables/proxier.js';
import { createUserspaceProxier } from './userspace/proxier.js';
import type { CreateProxier, Proxier, ProxierConfig } from './types.js';

/** The modes: a folder and a line each. */
const PROXIERS: Readonly<Record<ProxyMode, CreateProxier>> = {
  iptables: createIptablesProxier,
  nftables: createNftablesProxier,
  ipvs: createIpvsProxier,
  userspace: createUserspaceProxier,
};

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
