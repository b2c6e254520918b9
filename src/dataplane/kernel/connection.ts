import type { Packet, TcpFlags, Tuple } from '../packet.js';
import type { Conntrack, Direction, MutableEntry } from './conntrack.js';
import { NetfilterError } from './errors.js';
import type { IpvsModule } from './ipvs/ipvs.js';
import { evaluate, type PathOptions } from './path.js';
import type { Connection, ConnectRequest, Evaluation } from './types.js';

/** The usual length of a TCP segment without data. */
const DEFAULT_SIZE = 60;

/** Who remembers connections. */
export interface FlowTables {
  readonly conntrack: Conntrack;
  readonly ipvs: Pick<IpvsModule, 'finish'>;
}

/** Sends the first packet of a connection; the others follow its flow. */
export function connect(path: PathOptions, { conntrack, ipvs }: FlowTables, request: ConnectRequest): Connection {
  const dryRun = request.dryRun === true;
  const { proto: protocol, src, srcPort, dst, dstPort, inInterface, size: firstSize = DEFAULT_SIZE } = request;
  const first = packet({ protocol, src, srcPort, dst, dstPort }, inInterface, firstSize, 'syn');
  const opened = evaluate(path, first, { hook: request.hook, dryRun });

  const flowEntry = (): MutableEntry => {
    if (opened.entry === undefined) throw new NetfilterError('the connection was not let through');
    return opened.entry as MutableEntry;
  };
  const pass = (direction: Direction, size: number, flags: TcpFlags): Evaluation => {
    const entry = flowEntry();
    const tuple = direction === 'original' ? entry.original : entry.reply;
    // The answer of a socket of this node starts here; another comes in from where the packet went out.
    const answerHook = opened.delivery === 'local' ? 'output' : 'prerouting';
    const inInterface = direction === 'original' ? first.inInterface : opened.packet.outInterface;
    const hook = direction === 'original' ? request.hook : answerHook;
    const context = dryRun ? { hook, dryRun, flow: { entry, direction } } : { hook };
    return evaluate(path, packet(tuple, inInterface, size, flags), context);
  };
  const { verdict, packet: sent, delivery, state, entry: made, trace, rejectWith } = opened;
  return {
    verdict,
    packet: sent,
    delivery,
    state,
    entry: made,
    trace,
    ...(rejectWith === undefined ? undefined : { rejectWith }),
    send: (size = DEFAULT_SIZE) => pass('original', size, 'ack'),
    reply(size = DEFAULT_SIZE) {
      const opening = flowEntry().tcpState === 'SYN_SENT';
      const answer = pass('reply', size, opening ? 'synack' : 'ack');
      if (opening && answer.verdict === 'accept') pass('original', DEFAULT_SIZE, 'ack');
      return answer;
    },
    close() {
      const entry = opened.entry as MutableEntry | undefined;
      const ends = request.proto !== 'udp';
      if (dryRun || entry?.confirmed !== true || !ends) return;
      conntrack.advance(entry, 'original', 'fin');
      conntrack.advance(entry, 'reply', 'fin');
      ipvs.finish(entry.original);
    },
  };
}

/** A packet of a connection, as it comes to the hooks. */
function packet(tuple: Tuple, inInterface: string | undefined, size: number, flags: TcpFlags): Packet {
  const { protocol, src, srcPort, dst, dstPort } = tuple;
  const made: { -readonly [K in keyof Packet]: Packet[K] } = { protocol, src, srcPort, dst, dstPort, mark: 0, size };
  if (inInterface !== undefined) made.inInterface = inInterface;
  if (protocol === 'tcp') made.flags = flags;
  return made;
}
