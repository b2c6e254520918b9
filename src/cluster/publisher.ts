import type { ClientConfig } from '../client/kubeconfig.js';
import { createEventRecorder } from '../client/event-recorder.js';
import { ENDPOINT_SLICES, EVENTS, NODES, SERVICES } from '../client/resources.js';
import { createClient } from '../client/rest-client.js';
import type { Clock } from '../machinery/clock.js';
import type { Logger } from '../machinery/logger.js';
import type { CoreEvent, DeepReadonly, EndpointSlice, Node, Service } from '../machinery/types.js';
import { familyLike, ofFamily } from '../nodeagent/network/links.js';
import { podNetworkOf } from '../nodeagent/network/node-directory.js';
import { peerReceiver } from '../nodeagent/network/peer-link.js';
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
  readonly key: string;
  readonly service: DeepReadonly<Service>;
  readonly protocol: 'tcp' | 'udp';
  readonly ip: string;
  readonly port: number;
}

const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';
const SERVICE_NAME = 'kubernetes.io/service-name';

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
  const open = new Map<string, RealListener>();
  let turn = 0;

  const nodesWithEndpoints = ({ metadata: { namespace, name } }: DeepReadonly<Service>): ReadonlySet<string> =>
    new Set(
      [...slices.indexer.list()]
        .filter(slice => slice.metadata.namespace === namespace && slice.metadata.labels?.[SERVICE_NAME] === name)
        .flatMap(slice => slice.endpoints ?? [])
        .flatMap(({ nodeName, conditions }) =>
          conditions?.ready === false || nodeName === undefined ? [] : [nodeName],
        ),
    );

  const entry = ({ key, ip, port }: Published): PacketEntry | undefined => {
    const service = wanted.get(key)?.service;
    const src = ofFamily(hostGateways, familyLike(ip));
    if (service === undefined || src === undefined) return undefined;
    const local = service.spec?.externalTrafficPolicy === 'Local' ? nodesWithEndpoints(service) : undefined;
    const able = [...nodes.indexer.list()]
      .filter(node => isReady(node) && node.metadata.labels?.[EXCLUDED] === undefined)
      .filter(({ metadata: { name = '' } }) => local?.has(name) !== false)
      .flatMap(node => podNetworkOf(node) ?? []);
    const at = able[turn++ % Math.max(1, able.length)];
    return at && { receiver: peerReceiver(at, clock), src, dst: { address: ip, port } };
  };

  let wanted: ReadonlyMap<string, Published> = new Map();
  const publish = (published: Published, at: { readonly address: string; readonly port: number }): void => {
    const { key, service, protocol, ip, port } = published;
    const { namespace = '', name = '' } = service.metadata;
    open.set(
      key,
      listenReal({
        protocol,
        at,
        log,
        entry: () => entry(published),
        onListening(real) {
          const text = `${ip} port ${port}/${protocol} is at ${at.address}:${real} of this machine`;
          say(`published    ${namespace}/${name}: ${text}`);
          recorder.event(
            { apiVersion: 'v1', kind: 'Service', metadata: service.metadata },
            'Normal',
            'Published',
            text,
          );
        },
        onError(error) {
          open.delete(key);
          // Below 1024 only root may listen, and somebody else may have the port.
          if (at.port !== 0) return publish(published, { ...at, port: 0 });
          log.warn({ ip, port, error: error.message }, 'load balancer cannot be published');
        },
      }),
    );
  };
  const update = (): void => {
    wanted = new Map([...services.indexer.list()].flatMap(portsOf).map(port => [port.key, port]));
    for (const [key, listener] of open)
      if (!wanted.has(key)) {
        listener.close();
        open.delete(key);
      }
    for (const published of wanted.values())
      if (!open.has(published.key))
        publish(published, { address: loopbackOf(published.ip, platform), port: published.port });
  };
  services.addHandler({ add: update, update, delete: update });

  return startPart(async signal => {
    informers.start(signal);
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
    for (const listener of open.values()) listener.close();
    await recorder.flush();
    client.close();
  });
}

const isReady = ({ status }: DeepReadonly<Node>): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

/** What is published of a Service: every port of each of its load balancer's addresses. SCTP has no sockets here. */
function portsOf(service: DeepReadonly<Service>): Published[] {
  const { spec, status, metadata } = service;
  if (spec?.type !== 'LoadBalancer' || metadata.deletionTimestamp !== undefined) return [];
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
    (spec.ports ?? []).flatMap(({ port, protocol }) => {
      const proto = protocol === 'UDP' ? 'udp' : 'tcp';
      if (ip === undefined || protocol === 'SCTP') return [];
      const key = `${metadata.namespace ?? ''}/${metadata.name ?? ''} ${proto} ${ip} ${port}`;
      return [{ key, service, protocol: proto, ip, port } as const];
    }),
  );
}

/** 172.18.255.1 is at 127.18.255.1: Linux answers on all of 127/8. Elsewhere, and for IPv6, all share one address. */
export const loopbackOf = (ip: string, platform: NodeJS.Platform): string =>
  platform === 'linux' && familyLike(ip) === 'IPv4' ? ip.replace(/^\d+/, '127') : HOST;
