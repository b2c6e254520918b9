import type { EventRecorder } from '../client/event-recorder.js';
import { createProxier } from '../dataplane/proxiers/index.js';
import type { DeepReadonly, Node } from '../machinery/types.js';
import type { NodeAgentOptions } from './agent-options.js';
import { familyLike } from './network/links.js';
import type { NodeInformers } from './node-informers.js';
import type { NodeNetwork } from './node-network.js';
import { openLocalPorts } from './node/local-ports.js';
import { buildInfo, processStart } from './node/metrics.js';
import { proxyConfiguration } from './proxy/configuration.js';
import type { FamilyProxy } from './proxy/family-proxy.js';
import { createHealthCheckPorts } from './proxy/health-check-ports.js';
import { createNodePorts, noNodePorts } from './proxy/node-ports.js';
import { progressOfAll, runProxyLoop } from './proxy/proxy-loop.js';
import type { SyncFeed } from './proxy/sync-feed.js';
import { createProxyMetrics } from './proxy/proxy-metrics.js';
import { createRelay } from './proxy/relay.js';

/** What stands in kube-proxy's place on the node. */
export interface NodeProxy {
  /** The node's labels may have changed. */
  setNode(node: DeepReadonly<Node>): void;
  /** A packet waits for the rules. */
  loadNow(): void;
  close(): void;
}

export interface NodeProxyOptions {
  readonly agent: NodeAgentOptions;
  readonly informers: NodeInformers;
  readonly network: NodeNetwork;
  readonly recorder: EventRecorder;
  readonly syncs: SyncFeed;
  /** Clock milliseconds. */
  readonly startedAt: number;
}

/** One proxy for each family that the node has an address of, which sync independently, as kube-proxy's two do. */
export function runNodeProxy(options: NodeProxyOptions, signal: AbortSignal): NodeProxy {
  const { agent, informers, recorder, syncs } = options;
  const { clock, log, nodeName, hostGateways, minSyncPeriodMs, syncPeriodMs } = agent;
  const { nodeAddresses, kernels, network } = options.network;
  const { services, slices, serviceCidrs } = informers;
  const proxies = nodeAddresses.map((address): FamilyProxy => {
    const kernel = kernels[familyLike(address)];
    const { family } = kernel;
    const host = agent.hostRules?.(family);
    const proxy = createProxier({
      ...agent.proxy,
      clock,
      family,
      nodeName,
      nodeAddresses: [address],
      random: () => agent.random.number(),
      isPortTaken: (protocol, port) => network.node.sockets.isTaken(protocol, port),
      ...(host === undefined ? {} : { loadedChains: () => host.loadedChains }),
    });
    return { kernel, proxy, ...(host === undefined ? {} : { host }) };
  });
  const metrics = createProxyMetrics(clock);
  // The machine has no ports of its own for each of many nodes.
  const openNodePorts = agent.host === undefined ? createNodePorts : noNodePorts;
  const nodePorts = openNodePorts({
    proxies,
    network,
    nodeAddresses,
    bindAddress: agent.bindAddress,
    cable: agent.cable,
    hostGateways,
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
  const healthy = (): boolean => progress.lastSync !== undefined;
  const healthChecks = createHealthCheckPorts({ proxies, network, healthy, log });
  const relay = createRelay({
    proxies,
    nodeName,
    network: network.node,
    clock,
    udpTimeoutMs: agent.proxy.udpTimeoutMs,
    log,
  });
  const onSynced = (): void => {
    relay.update();
    nodePorts.update();
    healthChecks.update();
  };
  const onFailed = (error: unknown): void =>
    recorder.event(
      { kind: 'Node', apiVersion: 'v1', metadata: { name: nodeName, uid: nodeName } },
      'Warning',
      'SyncProxyRulesFailed',
      error instanceof Error ? error.message : String(error),
    );
  const shared = { services, slices, serviceCidrs, clock, minSyncPeriodMs, syncPeriodMs, log, onSynced, onFailed };
  const loops = proxies.map(proxy =>
    runProxyLoop(
      {
        ...shared,
        ...proxy,
        metrics: metrics.family(proxy.kernel, proxy.proxy),
        syncs: syncs.family(proxy.kernel.family),
      },
      signal,
    ),
  );
  const progress = progressOfAll(loops);
  const closeLocalPorts = openLocalPorts({
    network: network.node,
    clock,
    node: () => informers.self(),
    proxy: () => progress,
    proxyMode: agent.proxy.mode,
    proxyConfiguration: () => proxyConfiguration({ nodeName, settings: agent.proxy, minSyncPeriodMs, syncPeriodMs }),
    answered: (check, code) => metrics.answered(check, code),
    proxyMetrics: () => [buildInfo(agent.version), processStart(options.startedAt), ...metrics.families()],
    healthTimeoutMs: 2 * syncPeriodMs,
    log,
  });
  return {
    setNode({ metadata, spec }) {
      for (const { proxy } of proxies) proxy.setNode(metadata.labels ?? {}, spec?.podCIDRs);
      for (const loop of loops) loop.poke();
    },
    loadNow() {
      for (const loop of loops) loop.loadNow();
    },
    close() {
      nodePorts.close();
      relay.close();
      healthChecks.close();
      closeLocalPorts();
    },
  };
}
