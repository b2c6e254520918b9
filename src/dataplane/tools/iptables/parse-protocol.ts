import { NetfilterError } from '../../kernel/errors.js';
import type { Match } from '../../kernel/xtables/rule.js';

const PROTOCOLS: Readonly<Record<string, Extract<Match, { kind: 'protocol' }>['protocol']>> = {
  tcp: 'tcp',
  '6': 'tcp',
  udp: 'udp',
  '17': 'udp',
  sctp: 'sctp',
  '132': 'sctp',
  icmp: 'icmp',
  '1': 'icmp',
  'ipv6-icmp': 'ipv6-icmp',
  icmpv6: 'ipv6-icmp',
  '58': 'ipv6-icmp',
};

/** A protocol by its name or number. */
export function protocol(text: string): Extract<Match, { kind: 'protocol' }>['protocol'] {
  const known = PROTOCOLS[text];
  if (known === undefined) throw new NetfilterError(`unknown protocol "${text}" specified`);
  return known;
}
