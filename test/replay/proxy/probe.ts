import type { Kernel } from '../../../src/dataplane/kernel/types.js';
import { joinHostPort } from '../../../src/machinery/ip.js';
import { NODE_LINK, POD_LINK } from './node.js';
import type { Probe } from './types.js';

/** What a connection comes to. */
export interface Outcome {
  readonly verdict: 'accept' | 'refused' | 'timeout';
  /** "world": it left the node for an address that is nobody's. */
  readonly reached?: string;
  readonly seenFrom?: string;
}

const FROM_PODS: ReadonlySet<Probe['from']> = new Set(['pod', 'self']);
const FROM_OUTSIDE: ReadonlySet<Probe['from']> = new Set(['outside', 'outside2']);

/** Opens one connection, or asks what would become of it. `endpoints`: "ip:port" of every server there is. */
export function connectAs(
  kernel: Kernel,
  probe: Probe,
  srcPort: number,
  endpoints: ReadonlySet<string>,
  dryRun = false,
): Outcome {
  const { from, source, protocol, to, port } = probe;
  const { verdict, packet, delivery } = kernel.connect({
    proto: protocol,
    // A socket without an address of its own takes the one it connects to, if that is the node's.
    src: from === 'node' && kernel.routes.isLocal(to) ? to : source,
    srcPort,
    dst: to,
    dstPort: port,
    dryRun,
    ...(from === 'node'
      ? { hook: 'output' }
      : { hook: 'prerouting', inInterface: FROM_PODS.has(from) ? POD_LINK : NODE_LINK }),
  });
  if (verdict === 'drop') return { verdict: 'timeout' };
  if (verdict === 'reject') return { verdict: 'refused' };
  const end = joinHostPort(packet.dst, packet.dstPort);
  if (endpoints.has(end)) return { verdict: 'accept', reached: end, seenFrom: packet.src };
  if (delivery === 'local') return { verdict: 'refused' };
  // What comes from outside and goes out again is lost; the router answers anything else.
  if (FROM_OUTSIDE.has(from)) return { verdict: 'timeout' };
  return { verdict: 'accept', reached: 'world', seenFrom: packet.src };
}
