import { parseCidr } from '../../../machinery/cidr.js';
import type { CapturedPacket } from '../../network/captured-packet.js';
import { parsePort } from './ports.js';
import { NotSimulated } from './stack-of.js';

export type PacketTest = (packet: CapturedPacket) => boolean;

/** Tokens of an expression; a longer one nobody types. */
const MAX_TOKENS = 256;
const PROTOCOLS: Readonly<Record<string, PacketTest>> = {
  tcp: ({ protocol }) => protocol === 'tcp',
  udp: ({ protocol }) => protocol === 'udp',
  sctp: ({ protocol }) => protocol === 'sctp',
  icmp: ({ protocol }) => protocol === 'icmp',
  icmp6: ({ protocol }) => protocol === 'ipv6-icmp',
  ip: ({ src }) => !src.includes(':'),
  ip6: ({ src }) => src.includes(':'),
};
const KINDS = ['host', 'net', 'port', 'portrange', 'proto'] as const;
type Kind = (typeof KINDS)[number];
type Side = 'src' | 'dst' | 'both';

/** The expression is none (pcap-filter(7)): tcpdump's own words for it are "syntax error". */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}

/**
 * Of pcap-filter(7): host, net, port and portrange with src and dst, the protocols, and, or, not and parentheses. Names of
 * hosts are addresses already, by `addressOf`.
 * @throws FilterError, NotSimulated
 */
export function parseFilter(text: string, addressOf: (name: string) => string | undefined): PacketTest {
  const tokens = tokenize(text);
  if (tokens.length === 0) return () => true;
  return new Parser(tokens, addressOf).parse();
}

/** Words that may be names of hosts: what a caller has to look up. */
export const namesIn = (text: string): string[] =>
  tokenize(text).filter(
    (token, at, all) => ['host', 'src', 'dst'].includes(all[at - 1] ?? '') && /^[a-zA-Z]/.test(token) && !isWord(token),
  );

const isWord = (token: string): boolean =>
  Object.hasOwn(PROTOCOLS, token) || ['src', 'dst', 'and', 'or', 'not', ...KINDS].includes(token);

function tokenize(text: string): string[] {
  const tokens = text
    .replaceAll('(', ' ( ')
    .replaceAll(')', ' ) ')
    .replaceAll('&&', ' and ')
    .replaceAll('||', ' or ')
    .split(/\s+/)
    .flatMap(token => (token.startsWith('!') && token.length > 1 && token[1] !== '=' ? ['!', token.slice(1)] : [token]))
    .filter(token => token !== '');
  if (tokens.length > MAX_TOKENS) throw new NotSimulated('a filter of so many words');
  return tokens;
}

class Parser {
  private at = 0;
  /** What the last primitive said, for one that says no more than its value: "port 80 or 443". */
  private last: { kind: Kind; side: Side; protocol: string | undefined } | undefined;

  constructor(
    private readonly tokens: readonly string[],
    private readonly addressOf: (name: string) => string | undefined,
  ) {}

  parse(): PacketTest {
    const test = this.either();
    if (this.at < this.tokens.length) throw new FilterError('syntax error');
    return test;
  }

  private take(): string | undefined {
    return this.tokens[this.at++];
  }

  private either(): PacketTest {
    let test = this.both();
    while (this.tokens[this.at] === 'or') {
      this.at++;
      const [left, right] = [test, this.both()];
      test = packet => left(packet) || right(packet);
    }
    return test;
  }

  private both(): PacketTest {
    let test = this.single();
    while (this.tokens[this.at] === 'and') {
      this.at++;
      const [left, right] = [test, this.single()];
      test = packet => left(packet) && right(packet);
    }
    return test;
  }

  private single(): PacketTest {
    const token = this.tokens[this.at];
    if (token === 'not' || token === '!') {
      this.at++;
      const inner = this.single();
      return packet => !inner(packet);
    }
    if (token !== '(') return this.primitive();
    this.at++;
    const inner = this.either();
    if (this.take() !== ')') throw new FilterError('syntax error');
    return inner;
  }

  private primitive(): PacketTest {
    let token = this.take();
    if (token === undefined || token === ')') throw new FilterError('syntax error');
    if (/[[\]&=<>]/.test(token)) throw new NotSimulated(`the filter "${token.slice(0, 64)}"`);
    const protocol = Object.hasOwn(PROTOCOLS, token) ? token : undefined;
    const ofProtocol = protocol === undefined ? undefined : PROTOCOLS[protocol];
    if (ofProtocol !== undefined) {
      const next = this.tokens[this.at];
      if (next === undefined || !(['src', 'dst', ...KINDS] as readonly string[]).includes(next)) return ofProtocol;
      token = this.take() ?? '';
    }
    let side: Side = 'both';
    let sided = false;
    if (token === 'src' || token === 'dst') {
      side = token;
      sided = true;
      const more = this.tokens[this.at];
      // "src or dst" is the same as neither.
      if ((more === 'or' || more === 'and') && ['src', 'dst'].includes(this.tokens[this.at + 1] ?? '')) {
        if (more === 'and') throw new NotSimulated('the filter "src and dst"');
        this.at += 2;
        side = 'both';
      }
      token = this.take() ?? '';
    }
    const named = KINDS.find(kind => kind === token);
    if (named !== undefined) token = this.take() ?? '';
    else if (!sided && ofProtocol === undefined && this.last !== undefined) {
      const { kind, side: before, protocol: of } = this.last;
      const test = this.test(kind, before, token);
      const again = of === undefined ? undefined : PROTOCOLS[of];
      return again === undefined ? test : packet => again(packet) && test(packet);
    }
    const kind = named ?? (sided || /^[\d:]/.test(token) ? 'host' : undefined);
    if (kind === undefined) throw new NotSimulated(`the filter "${token.slice(0, 64)}"`);
    this.last = { kind, side, protocol };
    const test = this.test(kind, side, token);
    return ofProtocol === undefined ? test : packet => ofProtocol(packet) && test(packet);
  }

  private test(kind: Kind, side: Side, value: string): PacketTest {
    const ends = <T>(of: (packet: CapturedPacket, end: 'src' | 'dst') => T, is: (value: T) => boolean): PacketTest =>
      side === 'both' ? packet => is(of(packet, 'src')) || is(of(packet, 'dst')) : packet => is(of(packet, side));
    const port = (packet: CapturedPacket, end: 'src' | 'dst'): number =>
      end === 'src' ? packet.srcPort : packet.dstPort;
    switch (kind) {
      case 'host': {
        const address = this.addressOf(value);
        if (address === undefined) throw new FilterError(`unknown host '${value.slice(0, 255)}'`);
        return ends(
          (packet, end) => packet[end],
          own => own === address,
        );
      }
      case 'net': {
        const range = parseCidr(value);
        if (range === undefined) throw new FilterError('syntax error');
        return ends(
          (packet, end) => packet[end],
          own => range.contains(own),
        );
      }
      case 'port': {
        const wanted = parsePort(value);
        if (wanted === undefined) throw new FilterError(`unknown port '${value.slice(0, 64)}'`);
        return ends(port, own => own === wanted);
      }
      case 'portrange': {
        const [from, to] = value.split('-', 2).map(part => parsePort(part));
        if (from === undefined || to === undefined) throw new FilterError('syntax error');
        return ends(port, own => own >= from && own <= to);
      }
      case 'proto': {
        const test = PROTOCOLS[value.replace(/^\\+/, '')];
        if (test === undefined) throw new NotSimulated(`the filter "proto ${value.slice(0, 64)}"`);
        return test;
      }
      default:
        return kind satisfies never;
    }
  }
}
