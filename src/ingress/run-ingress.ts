import { createServer } from 'node:http';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { createSecureContext } from 'node:tls';
import { createEventRecorder } from '../client/event-recorder.js';
import { createInformerFactory } from '../client/informer.js';
import type { ClientConfig } from '../client/kubeconfig.js';
import { runWhileLeading } from '../client/leader-election.js';
import { EVENTS, LEASES, SERVICES } from '../client/resources.js';
import { createClient } from '../client/rest-client.js';
import type { Clock } from '../machinery/clock.js';
import { isStatusError } from '../machinery/status.js';
import type { CoreEvent, Lease, Service } from '../machinery/types.js';
import { createWorkQueue } from '../machinery/work-queue.js';
import { issueCertificate } from '../machinery/x509/certificate.js';
import { watchBackends } from './controller/backends.js';
import { createConfiguration } from './controller/configuration.js';
import { watchIngresses } from './controller/ingresses.js';
import { watchSecrets } from './controller/secrets.js';
import type { Source } from './controller/source.js';
import { watchGateways } from './gateway/gateways.js';
import { GATEWAY_GROUP } from './gateway/resources.js';
import { NAME, PORTS } from './names.js';
import type { Dial } from './proxy/dial.js';
import { openDoor, type ClientStream } from './proxy/doors.js';
import { createProxy } from './proxy/proxy.js';

/** What the controller has of its Pod. */
export interface IngressPod {
  readonly namespace: string;
  readonly name: string;
  /** The API server, reached over the Pod's network. */
  readonly config: ClientConfig;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly dial: Dial;
  /** Opens a port; returns the closer. @throws Error EADDRINUSE */
  readonly listen: (port: number, onConnection: (stream: ClientStream) => void) => () => void;
  /** A line of the container's log. */
  readonly log: (line: string) => void;
}

const DAY_MS = 86_400_000;

/** Runs until the signal: serves requests by the rules there are, and tells their owners, while it leads, where and what is wrong. */
export async function runIngress(pod: IngressPod, signal: AbortSignal): Promise<void> {
  const { clock, log } = pod;
  const client = createClient(pod.config, NAME);
  const informers = createInformerFactory({
    transport: client.transport,
    clock,
    onError(ref, error) {
      // A definition is there a moment before its objects are served.
      if (ref.group === GATEWAY_GROUP && isStatusError(error, 'NotFound')) return;
      log(`error: watch of ${ref.resource}: ${error.message}`);
    },
  });
  const recorder = createEventRecorder({
    events: client.resource<CoreEvent>(EVENTS),
    clock,
    component: NAME,
    onError: error => log(`error: event not recorded: ${error.message}`),
  });
  const services = informers.informer<Service>(SERVICES);
  const addresses = (): string[] =>
    (services.indexer.get(`${pod.namespace}/${NAME}`)?.status?.loadBalancer?.ingress ?? []).flatMap(
      ({ ip }) => ip ?? [],
    );

  const queue = createWorkQueue({ clock, name: NAME });
  const sources: Source[] = [];
  const tellAll = (): void => {
    sources.forEach((source, i) => {
      for (const key of source.untold()) queue.add(`${i} ${key}`);
    });
  };
  const configuration = createConfiguration({
    sources: () => sources,
    clock,
    defaultContext: ownContext(clock.now()),
    onCompiled: tellAll,
  });
  const onChange = (): void => configuration.changed();
  const backends = watchBackends(informers, onChange);
  const secrets = watchSecrets(informers, onChange);
  const shared = { client, informers, backends, secrets, recorder, addresses, onChange, clock };
  sources.push(watchIngresses(shared), watchGateways(shared));

  const closers: (() => void)[] = [];
  try {
    informers.start(signal);
    await informers.whenSynced(signal);
    configuration.compile();
    const proxy = createProxy({
      ...pod,
      endpointsOf: port => backends.endpointsOf(port),
      routes: port => configuration.routes(port),
    });
    const contextOf = (name: string | undefined): ReturnType<typeof ownContext> => configuration.contextOf(name);
    const doors = [
      openDoor({ proxy, clock, door: { port: PORTS.http, scheme: 'http' } }),
      openDoor({ proxy, clock, door: { port: PORTS.https, scheme: 'https' }, contextOf }),
    ];
    for (const door of doors) closers.push(() => door.close());
    closers.push(
      ...[PORTS.http, PORTS.https].map((port, i) => pod.listen(port, stream => doors[i]?.take(stream))),
      pod.listen(PORTS.health, health()),
    );
    log('serving Ingresses, and Gateways where they are defined');
    const tell = async (key: string): Promise<void> => {
      const space = key.indexOf(' ');
      await sources[Number(key.slice(0, space))]?.tell(key.slice(space + 1));
    };
    const failed = (key: string, error: Error): void => {
      if (!isStatusError(error, 'Conflict')) log(`error: ${key.slice(key.indexOf(' ') + 1)}: ${error.message}`);
    };
    await runWhileLeading(
      {
        leases: client.resource<Lease>(LEASES),
        lease: { namespace: pod.namespace, name: `${NAME}-leader` },
        identity: pod.name || hostname(),
        clock,
        onError: error => log(`error: leader election: ${error.message}`),
      },
      async leading => {
        tellAll();
        await queue.run(1, tell, failed, leading);
      },
      signal,
    );
  } finally {
    for (const close of closers) close();
    await recorder.flush();
    client.close();
  }
}

/** A certificate for whom nobody has one. */
function ownContext(now: number): ReturnType<typeof createSecureContext> {
  const pair = issueCertificate({
    subject: { commonName: 'Kubette Ingress default certificate', organizations: ['Kubette'] },
    notBefore: now - DAY_MS,
    notAfter: now + 365 * DAY_MS,
    usage: 'server',
    subjectAltNames: ['ingress.local'],
  });
  return createSecureContext({ cert: pair.cert, key: pair.key });
}

/** What the kubelet asks for, at /healthz as at any path: whoever listens has all it needs. */
function health(): (stream: Duplex) => void {
  const server = createServer((_request, response) => response.end('ok'));
  return stream => void server.emit('connection', stream);
}
