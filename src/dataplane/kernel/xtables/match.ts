import { parseCidr } from '../../../machinery/cidr.js';
import type { Ipsets } from '../ipset/ipsets.js';
import type { PacketState } from '../passage.js';
import { inKernelOrder, kernelProbability } from './kernel-form.js';
import type { RecentLists } from './recent.js';
import type { Match, Rule } from './rule.js';

/** What rules may ask of the machine they run on. */
export interface MatchEnvironment {
  isLocal(address: string): boolean;
  random(): number;
  readonly recent: RecentLists;
  readonly sets: Ipsets;
  /** Recent lists are read but not written. */
  readonly dryRun: boolean;
}

export type CompiledRule = (packet: PacketState, environment: MatchEnvironment) => boolean;

/** Turns a rule's matches into one test, made of their tests in the order of the kernel. */
export function compileMatches(rule: Rule): CompiledRule {
  const tests = inKernelOrder(rule.matches).flatMap(match => {
    const test = compileMatch(match);
    return test === undefined ? [] : [invertible(test, match)];
  });
  return (packet, environment) => {
    for (const test of tests) if (!test(packet, environment)) return false;
    return true;
  };
}

function invertible(test: CompiledRule, match: Match): CompiledRule {
  const inverted = 'invert' in match && match.invert === true;
  return inverted ? (packet, environment) => !test(packet, environment) : test;
}

function compileMatch(match: Match): CompiledRule | undefined {
  switch (match.kind) {
    case 'comment':
      return undefined;
    case 'source':
      return addressTest(match.cidr, packet => packet.src);
    case 'destination':
      return addressTest(match.cidr, packet => packet.dst);
    case 'inInterface':
      return interfaceTest(match.name, packet => packet.inInterface);
    case 'outInterface':
      return interfaceTest(match.name, packet => packet.outInterface);
    case 'protocol':
    case 'l4':
      return packet => packet.protocol === match.protocol;
    case 'sourcePort':
      return packet => packet.srcPort >= match.from && packet.srcPort <= match.to;
    case 'destinationPort':
      return packet => packet.dstPort >= match.from && packet.dstPort <= match.to;
    case 'conntrack':
      return packet => packet.states.some(state => match.states.includes(state));
    case 'mark':
      return packet => (packet.mark & match.mask) >>> 0 === match.value;
    case 'addrtype':
      return addressTypeTest(match.type, match.side === 'src' ? packet => packet.src : packet => packet.dst);
    case 'physdevIsIn':
      // Packets of bridge ports are already routed packets of the bridge here, as without br_netfilter.
      return () => false;
    case 'statistic': {
      const probability = kernelProbability(match.probability);
      return (_packet, environment) => environment.random() < probability;
    }
    case 'recent':
      return (packet, environment) => environment.recent.test(match, packet.src, environment.dryRun);
    case 'set':
      return (packet, environment) => environment.sets.get(match.set)?.test(packet, match.sides) === true;
    case 'ipvs':
      return ({ virtual }) =>
        virtual?.address === match.address && virtual.port === match.port && virtual.protocol === match.protocol;
    default:
      return match satisfies never;
  }
}

function addressTest(text: string, address: (packet: PacketState) => string): CompiledRule {
  const cidr = parseCidr(text);
  if (cidr === undefined) return () => false;
  const isHost = cidr.prefix === (cidr.family === 'IPv4' ? 32 : 128);
  if (isHost) return packet => address(packet) === cidr.network;
  return packet => cidr.contains(address(packet));
}

function interfaceTest(name: string, of: (packet: PacketState) => string | undefined): CompiledRule {
  if (!name.endsWith('+')) return packet => of(packet) === name;
  const prefix = name.slice(0, -1);
  return packet => of(packet)?.startsWith(prefix) === true;
}

const MULTICAST = [parseCidr('224.0.0.0/4'), parseCidr('ff00::/8')];

function addressTypeTest(
  type: Extract<Match, { kind: 'addrtype' }>['type'],
  of: (packet: PacketState) => string,
): CompiledRule {
  const isMulticast = (address: string): boolean => MULTICAST.some(cidr => cidr?.contains(address) === true);
  switch (type) {
    case 'LOCAL':
      return (packet, environment) => environment.isLocal(of(packet));
    case 'MULTICAST':
      return packet => isMulticast(of(packet));
    case 'BROADCAST':
      return packet => of(packet) === '255.255.255.255';
    case 'UNICAST':
      return (packet, environment) => {
        const address = of(packet);
        return !environment.isLocal(address) && !isMulticast(address) && address !== '255.255.255.255';
      };
    default:
      return type satisfies never;
  }
}
