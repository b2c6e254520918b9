import { healthCheckNodePorts, noLocalEndpoints, nodePorts, udpServicePorts } from '../services/ports-in-use.js';
import type { UdpServicePort } from '../kernel/flow.js';
import { createServiceMap, type ServiceChanges, type ServiceMap } from '../services/service-map.js';
import { isSameTraffic, type LocalTraffic, localTraffic } from './detect-local.js';
import type { Proxier, ProxierConfig } from './types.js';

/** What every mode's proxier is told and asked in the same way. */
type Shared = Pick<
  Proxier,
  | 'onServiceUpdate'
  | 'onServiceDelete'
  | 'onSliceUpdate'
  | 'onSliceDelete'
  | 'setNode'
  | 'healthCheckNodePorts'
  | 'nodePorts'
  | 'noLocalEndpoints'
>;

/** The Services as one node sees them, and what of that node rules depend on. */
export interface NodeView {
  readonly services: ServiceMap;
  readonly shared: Shared;
  /** What rules tell the traffic of local Pods by; undefined: nothing does. */
  readonly local: LocalTraffic | undefined;
  udpCleanup(changes: ServiceChanges): readonly UdpServicePort[];
}

/** `onLocalChange`: what was compiled with the old way to tell local traffic is not right any more. */
export function createNodeView(config: ProxierConfig, onLocalChange: () => void): NodeView {
  const services = createServiceMap(config);
  let local = localTraffic(config.detectLocal, [], config.family);
  return {
    services,
    shared: {
      onServiceUpdate: service => services.onServiceUpdate(service),
      onServiceDelete: service => services.onServiceDelete(service),
      onSliceUpdate: slice => services.onSliceUpdate(slice),
      onSliceDelete: slice => services.onSliceDelete(slice),
      setNode(labels, podCidrs = []) {
        services.setNode(labels);
        const next = localTraffic(config.detectLocal, podCidrs, config.family);
        if (isSameTraffic(next, local)) return;
        local = next;
        onLocalChange();
      },
      healthCheckNodePorts: () => healthCheckNodePorts(services.ports),
      nodePorts: () => nodePorts(services.ports),
      noLocalEndpoints: () => noLocalEndpoints(services.ports),
    },
    get local() {
      return local;
    },
    udpCleanup: ({ udpChanged }) => (udpChanged ? udpServicePorts(services.ports) : []),
  };
}
