import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import type { Program } from '../../../src/dataplane/kernel/program.js';
import type { Kernel } from '../../../src/dataplane/kernel/types.js';
import { createProxier } from '../../../src/dataplane/proxiers/index.js';
import type { ProxyMode } from '../../../src/dataplane/proxiers/modes.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { type Family, joinHostPort } from '../../../src/machinery/ip.js';
import { addressIn, ENDPOINT_PORTS, ENDPOINTS, nodeRoutes, PLACES } from './addresses.js';
import type { RandomCluster } from './generate.js';
import type { Probe } from './probes.js';

/** What became of one connection. */
export interface Outcome {
  readonly verdict: 'accept' | 'refused' | 'timeout';
  /** "ip:port" of the server that answered. */
  readonly reached?: string;
  /** The address it saw. */
  readonly seenFrom?: string;
}

export const outcomeText = ({ verdict, reached = '', seenFrom = '' }: Outcome): string =>
  reached === '' ? verdict : `${reached} sees ${seenFrom}`;

/** A node of ours that runs the cluster. */
export interface SimulatedNode {
  readonly kernel: Kernel;
  readonly program: Program;
  /** All that a connection could come to now, by its text, with the face that the dice must show for it. */
  possible(probe: Probe): ReadonlyMap<string, number>;
  /** What a connection would come to. */
  tryWith(probe: Probe, random: () => number): Outcome;
  /** Opens a connection for good, with the dice as they are. */
  connect(probe: Probe, face: number): Outcome;
}

/** With these the first and the last of some endpoints is chosen; where that is one, there is no choice. */
const ENDS = [0.001, 0.999];
/** Each of up to twelve endpoints is chosen by one of them: by `numgen` a twelfth, by the i-th of `statistic`'s rules one i-th. */
const BETWEEN = Array.from({ length: 24 }, (_, i) => (i + 0.5) / 24).concat(
  Array.from({ length: 11 }, (_, i) => (1 / (i + 1) + 1 / (i + 2)) / 2),
);

const serversOf = (family: Family): ReadonlySet<string> =>
  new Set(
    [...ENDPOINTS.local, ...ENDPOINTS.remote].flatMap(ip =>
      ENDPOINT_PORTS.map(port => joinHostPort(addressIn(ip, family), port)),
    ),
  );

/** A SYN with the usual options; a datagram with one letter. */
const SIZES = { IPv4: { tcp: 60, udp: 29 }, IPv6: { tcp: 80, udp: 49 } } as const;

export function simulate(cluster: RandomCluster, mode: ProxyMode): SimulatedNode {
  const { family, config, zone, podCidrs, serviceCidrs } = cluster;
  const clock = new FakeClock();
  let chance = (): number => 0;
  const kernel = createKernel({ clock, random: () => chance(), routes: nodeRoutes(family) });
  const proxy = createProxier({ ...config, mode, clock });
  proxy.setNode(zone === '' ? {} : { 'topology.kubernetes.io/zone': zone }, podCidrs);
  proxy.setServiceCidrs(serviceCidrs);
  for (const one of cluster.services) proxy.onServiceUpdate(one);
  for (const one of cluster.slices) proxy.onSliceUpdate(one);
  const { program } = proxy.sync();
  if (program === undefined) throw new Error('the first sync is always full');
  kernel.load(program);

  const servers = serversOf(family);
  let nextPort = 0;
  const tryOnce = (probe: Probe, dryRun: boolean): Outcome => {
    const { from, protocol, to, port } = probe;
    const source = probe.source ?? (kernel.routes.isLocal(to) ? to : kernel.routes.lookup(to)?.source);
    const connection = kernel.connect({
      proto: protocol,
      src: source ?? '',
      srcPort: 40_000 + (nextPort++ % 20_000),
      dst: to,
      dstPort: port,
      dryRun,
      size: SIZES[family][protocol === 'udp' ? 'udp' : 'tcp'],
      ...(from === 'node' ? { hook: 'output' } : { hook: 'prerouting', inInterface: PLACES[from].link }),
    });
    const { verdict, packet, delivery } = connection;
    if (verdict === 'drop') return { verdict: 'timeout' };
    if (verdict === 'reject') return { verdict: 'refused' };
    const reached = joinHostPort(packet.dst, packet.dstPort);
    if (servers.has(reached)) {
      const outcome = { verdict: 'accept', reached, seenFrom: packet.src } as const;
      return connection.reply().verdict === 'accept' ? outcome : { verdict: 'timeout' };
    }
    // What leaves the node for an address that is nobody's is lost.
    return { verdict: delivery === 'local' ? 'refused' : 'timeout' };
  };
  return {
    kernel,
    program,
    possible(probe) {
      const outcomes = new Map<string, number>();
      const tryFace = (shown: number): void => {
        chance = () => shown;
        const text = outcomeText(tryOnce(probe, true));
        if (!outcomes.has(text)) outcomes.set(text, shown);
      };
      ENDS.forEach(tryFace);
      if (outcomes.size > 1) BETWEEN.forEach(tryFace);
      return outcomes;
    },
    tryWith(probe, random) {
      chance = random;
      return tryOnce(probe, true);
    },
    connect(probe, face) {
      chance = () => face;
      return tryOnce(probe, false);
    },
  };
}
