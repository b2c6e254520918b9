import type { EventRecorder } from '../client/event-recorder.js';
import { createProxier } from '../dataplane/proxiers/index.js';
import type { DeepReadonly, Node } from '../machinery/types.js';
import type { NodeAgentOptions } from './agent-options.js';
import type { NodeInformers } from './node-informers.js';
import type { NodeNetwork } from './node-network.js';
import { openLocalPorts } from './node/local-ports.js';
import { buildInfo, processStart } from './node/metrics.js';
import { proxyConfiguration } from './proxy/configuration.js';
import { createHealthCheckPorts } from './proxy/health-check-ports.js';
import { createNodePorts } from './proxy/node-ports.js';
import { createProxyMetrics } from './proxy/proxy-metrics.js';
import { runProxyLoop } from './proxy/proxy-loop.js';

/** What stands in kube-proxy's place on the node. */
export interface NodeProxy {
  /** The node's labels may have changed. */
  setNode(node: DeepReadonly<Node>): void;
  close(): void;
}

export interface NodeProxyOptions {
  readonly agent: NodeAgentOptions;
  readonly informers: NodeInformers;
  readonly network: NodeNetwork;
  readonly recorder: EventRecorder;
  /** Clock milliseconds. */
  readonly startedAt: number;
}

export function runNodeProxy(options: NodeProxyOptions, signal: AbortSignal): NodeProxy {
  const { agent, informers, recorder } = options;
  const { clock, log, nodeName, hostGateway, minSyncPeriodMs, syncPeriodMs } = agent;
  const { nodeAddresses, kernel, network } = options.network;
  const { services, slices, serviceCidrs } = informers;
  const proxy = createProxier({
    ...agent.proxy,
    clock,
    family: kernel.family,
    nodeName,
    nodeAddresses,
  });
  const metrics = createProxyMetrics(kernel, proxy, clock);
  const nodePorts = createNodePorts({
    proxy,
    network,
    nodeAddresses,
    bindAddress: agent.bindAddress,
    hostGateway,
    log,
    onBusy: ({ namespace, name }, message) =>
      recorder.event(
        {
          kind: 'Service',
          apiVersion: 'v1',
          metadata: services.indexer.get(`${namespace}/${name}`)?.metadata ?? { namespace, name },
        },
        'Warning',
        'NodePortUnavailable',
        message,
      ),
  });
  const healthChecks = createHealthCheckPorts({ proxy, network, healthy: () => loop.lastSync !== undefined, log });
  const onSynced = (): void => {
    nodePorts.update();
    healthChecks.update();
  };
  const loop = runProxyLoop(
    { services, slices, serviceCidrs, proxy, kernel, metrics, clock, minSyncPeriodMs, syncPeriodMs, log, onSynced },
    signal,
  );
  const closeLocalPorts = openLocalPorts({
    network: network.node,
    clock,
    node: () => informers.self(),
    proxy: () => loop,
    proxyMode: agent.proxy.mode,
    proxyConfiguration: () => proxyConfiguration({ nodeName, settings: agent.proxy, minSyncPeriodMs, syncPeriodMs }),
    answered: (check, code) => metrics.answered(check, code),
    proxyMetrics: () => [buildInfo(agent.version), processStart(options.startedAt), ...metrics.families()],
    healthTimeoutMs: 2 * syncPeriodMs,
    log,
  });
  return {
    setNode({ metadata, spec }) {
      proxy.setNode(metadata.labels ?? {}, spec?.podCIDRs);
      loop.poke();
    },
    close() {
      nodePorts.close();
      healthChecks.close();
      closeLocalPorts();
    },
  };
}
