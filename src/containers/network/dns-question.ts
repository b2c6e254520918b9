import type { Answer, decode as decodePacket, DecodedPacket, Packet } from 'dns-packet';
import { NetworkError } from './errors.js';
import type { ResolverConfig } from './resolv-conf.js';
import type { ConnectOptions, NetNamespace, SocketAddress } from './types.js';

export type RecordType = 'A' | 'AAAA' | 'SRV' | 'PTR' | 'TXT' | 'CNAME' | 'MX' | 'NS' | 'SOA' | 'ANY';

export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  /** As presented: an address, a name, "priority weight port target". */
  readonly data: string;
}

export interface DnsAnswer {
  readonly question: { readonly name: string; readonly type: RecordType };
  readonly server: string;
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly records: readonly DnsRecord[];
  /** Whose word a negative answer is (RFC 2308): the primary server of the zone that has no such name. */
  readonly denier?: string;
}

/** Sends one question to one server. @throws NetworkError */
export type Ask = (
  server: SocketAddress,
  name: string,
  type: RecordType,
  options: ConnectOptions,
) => Promise<DnsAnswer>;

/** Questions over UDP, or over TCP where the configuration or a truncated answer says so; `random` starts their IDs. */
export function createAsk(network: NetNamespace, config: ResolverConfig, random: () => number): Ask {
  let nextId = Math.floor(random() * 65536);

  const ask: Ask = async (server, name, type, options) => {
    const { default: dns } = await import('dns-packet');
    nextId = (nextId + 1) & 0xffff;
    const query = dns.encode({
      type: 'query',
      id: nextId,
      flags: dns.RECURSION_DESIRED,
      questions: [{ type: type as 'A', name }],
      ...(config.edns0 === true ? { additionals: [EDNS0] } : {}),
    });
    const deadline = { timeoutMs: config.timeoutMs, ...options };
    let packet: DecodedPacket | undefined;
    if (config.useTcp !== true)
      packet = decodeAnswer(dns.decode, await network.exchange(server, query, deadline), query.readUInt16BE(0));
    if (packet === undefined || packet.flag_tc === true)
      packet = decodeAnswer(dns.decode, await askTcp(server, query, deadline), query.readUInt16BE(0));
    return {
      question: { name, type },
      server: server.address,
      rcode: (packet as Packet & { rcode?: string }).rcode ?? 'NOERROR',
      authoritative: packet.flag_aa === true,
      records: (packet.answers ?? []).flatMap(a =>
        a.type === 'OPT' ? [] : [{ name: a.name, type: a.type, ttl: 'ttl' in a ? (a.ttl ?? 0) : 0, data: present(a) }],
      ),
      ...denierOf(packet),
    };
  };

  /** RFC 7766: a truncated answer is asked for again over TCP. */
  const askTcp = async (server: SocketAddress, query: Buffer, options: ConnectOptions): Promise<Buffer> => {
    const stream = await network.connect(server, options);
    try {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      stream.write(Buffer.concat([length, query]));
      const chunks: Buffer[] = [];
      let received = 0;
      let expected: number | undefined;
      for await (const chunk of stream) {
        chunks.push(chunk as Buffer);
        received += (chunk as Buffer).length;
        if (received < 2) continue;
        expected ??= 2 + Buffer.concat(chunks).readUInt16BE(0);
        if (received >= expected) return Buffer.concat(chunks).subarray(2, expected);
      }
      throw new NetworkError('ECONNRESET', 'the name server closed the connection');
    } finally {
      stream.destroy();
    }
  };
  return ask;
}

/** A server may be anybody's Pod. What is no answer to the question is as good as none. @throws NetworkError */
function decodeAnswer(decode: typeof decodePacket, bytes: Buffer, id: number): DecodedPacket {
  let packet: DecodedPacket;
  try {
    packet = decode(bytes);
  } catch (error) {
    throw new NetworkError('ETIMEDOUT', `malformed answer: ${(error as Error).message}`);
  }
  if (packet.id !== id || packet.type !== 'response')
    throw new NetworkError('ETIMEDOUT', 'an answer to another question');
  return packet;
}

/** glibc's RESOLV_EDNS_BUFFER_SIZE. */
const EDNS0: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1200,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

function denierOf({ authorities = [] }: DecodedPacket): Pick<DnsAnswer, 'denier'> {
  for (const record of authorities) if (record.type === 'SOA') return { denier: record.data.mname };
  return {};
}

function present(answer: { type: string; data?: unknown }): string {
  const { data } = answer;
  if (typeof data === 'string') return data;
  if (Array.isArray(data)) return data.map(part => JSON.stringify(String(part))).join(' ');
  if (Buffer.isBuffer(data)) return JSON.stringify(data.toString('utf8'));
  if (answer.type === 'SRV') {
    const { priority = 0, weight = 0, port, target } = data as Record<string, number | string>;
    return `${priority} ${weight} ${port ?? 0} ${target ?? ''}`;
  }
  return JSON.stringify(data);
}
