import type { ConntrackEntry } from '../../kernel/flow.js';
import type { Packet, Tuple } from '../../packet.js';

const NUMBERS: Readonly<Record<Packet['protocol'], number>> = { tcp: 6, udp: 17, sctp: 132, icmp: 1, 'ipv6-icmp': 58 };
/** Echo requests and their answers: the only ones of which there are flows. */
const ICMP_TYPES = { icmp: [8, 0], 'ipv6-icmp': [128, 129] } as const;

const ends = ({ src, dst }: Tuple): string => `src=${src} dst=${dst}`;

function tupleText(tuple: Tuple, isReply: boolean): string {
  if (tuple.protocol === 'icmp' || tuple.protocol === 'ipv6-icmp') {
    const type = ICMP_TYPES[tuple.protocol][isReply ? 1 : 0];
    return `${ends(tuple)} type=${type} code=0 id=0`;
  }
  return `${ends(tuple)} sport=${tuple.srcPort} dport=${tuple.dstPort}`;
}

/** A flow as `conntrack -L` (1.4.7) prints it. `now`: clock milliseconds. */
export function flowText(entry: ConntrackEntry, now: number): string {
  const { original, reply, tcpState, seenReply, assured, expiresAt } = entry;
  const { protocol } = original;
  const seconds = Math.max(0, Math.ceil((expiresAt - now) / 1000));
  const state = tcpState === undefined ? '' : `${tcpState} `;
  const unreplied = seenReply ? '' : '[UNREPLIED] ';
  const name = protocol === 'ipv6-icmp' ? 'icmpv6' : protocol;
  return `${name.padEnd(8)} ${NUMBERS[protocol]} ${seconds} ${state}${tupleText(original, false)} ${unreplied}${tupleText(reply, true)} ${assured ? '[ASSURED] ' : ''}mark=0 use=1`;
}
