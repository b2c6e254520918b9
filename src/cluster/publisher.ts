import type { ClientConfig } from '../client/kubeconfig.js';
import { createEventRecorder } from '../client/event-recorder.js';
import { ENDPOINT_SLICES, EVENTS, NODES, SERVICES } from '../client/resources.js';
import { createClient } from '../client/rest-client.js';
import { keyOf } from '../client/types.js';
import type { SocketAddress } from '../containers/network/types.js';
import { SERVICE_NAME_LABEL } from '../machinery/service-name.js';
import type { Clock } from '../machinery/clock.js';
import type { Logger } from '../machinery/logger.js';
import { isNodeReady } from '../machinery/node-ready.js';
import type { CoreEvent, DeepReadonly, EndpointSlice, Node, Service } from '../machinery/types.js';
import { familyLike, ofFamily } from '../nodeagent/network/links.js';
import { podNetworkOf } from '../nodeagent/network/peer.js';
import { createPeerLinks } from '../nodeagent/network/link/peer-links.js';
import { peerReceiver } from '../nodeagent/network/peer-receiver.js';
import { listenReal, type PacketEntry, type RealListener } from '../nodeagent/network/real-listener.js';
import { HOST } from './addresses.js';
import { createLoggedInformers } from './informers.js';
import { startPart, type RunningPart } from './part.js';

export interface StartPublisherOptions {
  readonly config: ClientConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** The addresses that packets from this machine carry, of each family. */
  readonly hostGateways: readonly string[];
  /** A line for the terminal. */
  readonly say: (line: string) => void;
  readonly platform?: NodeJS.Platform;
}

/** One port of a load balancer's address. */
interface Published {
  /** Among those of its Service. */
  readonly key: string;
  readonly protocol: 'tcp' | 'udp';
  readonly ip: string;
  readonly port: number;
}

const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';
const BY_SERVICE = 'service';

/**
 * The load balancers of the cluster as this machine sees them: what clients send to a port on loopback is given to a node as
 * a packet to the load balancer's address, and goes through that node's rules. With externalTrafficPolicy Local only nodes
 * that have a ready endpoint are asked, as load balancers do by their health checks.
 */
export function startPublisher(options: StartPublisherOptions): RunningPart {
  const { clock, log, hostGateways, say, platform = process.platform } = options;
  const client = createClient(options.config, 'kubette-publisher');
  const informers = createLoggedInformers(client.transport, clock, log);
  const services = informers.informer<Service>(SERVICES);
  const slices = informers.informer<EndpointSlice>(ENDPOINT_SLICES);
  const nodes = informers.informer<Node>(NODES);
  const recorder = createEventRecorder({
    events: client.resource<CoreEvent>(EVENTS),
    clock,
    component: 'kubette-publisher',
    host: 'localhost',
    onError: error => log.info({ error: error.message }, 'event could not be written'),
  });
  slices.addIndex(BY_SERVICE, ({ metadata: { namespace = '', labels } }) => {
    const name = labels?.[SERVICE_NAME_LABEL];
    return name === undefined ? [] : [keyOf({ metadata: { namespace, name } })];
  });
  /** By Service, and by what is published of it. */
  const open = new Map<string, Map<string, RealListener>>();
  const links = createPeerLinks(clock);
  let turn = 0;

  const nodesWithEndpoints = (service: string): ReadonlySet<string> =>
    new Set(
      slices.indexer
        .byIndex(BY_SERVICE, service)
        .flatMap(slice => slice.endpoints ?? [])
        .flatMap(({ nodeName, conditions }) =>
          conditions?.ready === false || nodeName === undefined ? [] : [nodeName],
        ),
    );

  const entry = (key: string, { ip, port }: Published): PacketEntry | undefined => {
    const service = services.indexer.get(key);
    const src = ofFamily(hostGateways, familyLike(ip));
    if (service === undefined || src === undefined) return undefined;
    const local = service.spec?.externalTrafficPolicy === 'Local' ? nodesWithEndpoints(key) : undefined;
    const able = [...nodes.indexer.list()]
      .filter(node => isNodeReady(node) && node.metadata.labels?.[EXCLUDED] === undefined)
      .filter(({ metadata: { name = '' } }) => local?.has(name) !== false)
      .flatMap(node => podNetworkOf(node) ?? []);
    const at = able[turn++ % Math.max(1, able.length)];
    return at && { receiver: peerReceiver(at, links), src, dst: { address: ip, port } };
  };

  const publish = (
    service: DeepReadonly<Service>,
    published: Published,
    at: SocketAddress,
    listeners: Map<string, RealListener>,
  ): void => {
    const { key, protocol, ip, port } = published;
    const whose = keyOf(service);
    listeners.set(
      key,
      listenReal({
        protocol,
        at,
        log,
        entry: () => entry(whose, published),
        onListening(real) {
          const text = `${ip} port ${port}/${protocol} is at ${at.address}:${real} of this machine`;
          say(`published    ${whose}: ${text}`);
          recorder.event(
            { apiVersion: 'v1', kind: 'Service', metadata: service.metadata },
            'Normal',
            'Published',
            text,
          );
        },
        onError(error) {
          listeners.delete(key);
          // Below 1024 only root may listen, and somebody else may have the port.
          if (at.port !== 0) return publish(service, published, { ...at, port: 0 }, listeners);
          log.warn({ ip, port, error: error.message }, 'load balancer cannot be published');
        },
      }),
    );
  };
  const update = (service: DeepReadonly<Service>, wanted: readonly Published[]): void => {
    const of = keyOf(service);
    const listeners = open.get(of) ?? new Map<string, RealListener>();
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, listener] of listeners)
      if (!keys.has(key)) {
        listener.close();
        listeners.delete(key);
      }
    for (const published of wanted)
      if (!listeners.has(published.key))
        publish(service, published, { address: loopbackOf(published.ip, platform), port: published.port }, listeners);
    if (listeners.size > 0) open.set(of, listeners);
    else open.delete(of);
  };
  services.addHandler({
    add: service => update(service, portsOf(service)),
    update: (_old, service) => update(service, portsOf(service)),
    delete: service => update(service, []),
  });

  return startPart(async signal => {
    informers.start(signal);
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
    for (const listeners of open.values()) for (const listener of listeners.values()) listener.close();
    links.close();
    await recorder.flush();
    client.close();
  });
}

/** What is published of a Service: every port of each of its load balancer's addresses. SCTP of this machine is not taken in. */
function portsOf(service: DeepReadonly<Service>): Published[] {
  const { spec, status, metadata } = service;
  if (spec?.type !== 'LoadBalancer' || metadata.deletionTimestamp !== undefined) return [];
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
    (spec.ports ?? []).flatMap(({ port, protocol }) => {
      const proto = protocol === 'UDP' ? 'udp' : 'tcp';
      if (ip === undefined || protocol === 'SCTP') return [];
      return [{ key: `${proto} ${ip} ${port}`, protocol: proto, ip, port } as const];
    }),
  );
}

/** 172.18.255.1 is at 127.18.255.1: Linux answers on all of 127/8. Elsewhere, and for IPv6, all share one address. */
export const loopbackOf = (ip: string, platform: NodeJS.Platform): string =>
  platform === 'linux' && familyLike(ip) === 'IPv4' ? ip.replace(/^\d+/, '127') : HOST;
