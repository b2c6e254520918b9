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

/** What of a DNS message is not its answer. */
export interface DnsMessage {
  readonly id: number;
  /** Of those of the header that are set: qr, aa, tc, rd, ra, ad, cd. */
  readonly flags: readonly string[];
  /** Bytes. */
  readonly size: number;
  readonly overTcp: boolean;
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** EDNS: the longest datagram that the server takes. */
  readonly udpSize?: number;
}

/** How a question is asked, where not as resolv.conf says. */
export interface QueryOptions extends ConnectOptions {
  readonly server?: SocketAddress;
  readonly tcp?: boolean;
  readonly edns0?: boolean;
  /** Default: it is. */
  readonly recursionDesired?: boolean;
  readonly attempts?: number;
}

export interface DnsAnswer {
  readonly question: { readonly name: string; readonly type: RecordType };
  readonly server: string;
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly records: readonly DnsRecord[];
  /** What came back as a whole, for whoever shows it. */
  readonly message?: DnsMessage;
  /** Whose word a negative answer is (RFC 2308): the primary server of the zone that has no such name. */
  readonly denier?: string;
}

/** Sends one question to one server. @throws NetworkError */
export type Ask = (server: SocketAddress, name: string, type: RecordType, options: QueryOptions) => Promise<DnsAnswer>;

/** Questions over UDP, or over TCP where the configuration or a truncated answer says so; `random` starts their IDs. */
export function createAsk(network: NetNamespace, config: ResolverConfig, random: () => number): Ask {
  let nextId = Math.floor(random() * 65536);

  const ask: Ask = async (server, name, type, options) => {
    const { default: dns } = await import('dns-packet');
    nextId = (nextId + 1) & 0xffff;
    const query = dns.encode({
      type: 'query',
      id: nextId,
      flags: options.recursionDesired === false ? 0 : dns.RECURSION_DESIRED,
      questions: [{ type: type as 'A', name }],
      ...((options.edns0 ?? config.edns0) === true ? { additionals: [EDNS0] } : {}),
    });
    const deadline = { timeoutMs: config.timeoutMs, ...options };
    let packet: DecodedPacket | undefined;
    let bytes: Buffer = query;
    let overTcp = (options.tcp ?? config.useTcp) === true;
    if (!overTcp) {
      bytes = await network.exchange(server, query, deadline);
      packet = decodeAnswer(dns.decode, bytes, query.readUInt16BE(0));
      overTcp = packet.flag_tc === true;
    }
    if (packet === undefined || overTcp) {
      bytes = await askTcp(server, query, deadline);
      packet = decodeAnswer(dns.decode, bytes, query.readUInt16BE(0));
    }
    return {
      question: { name, type },
      server: server.address,
      rcode: (packet as Packet & { rcode?: string }).rcode ?? 'NOERROR',
      authoritative: packet.flag_aa === true,
      records: recordsOf(packet.answers),
      message: messageOf(packet, bytes.length, overTcp),
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

const recordsOf = (answers: readonly Answer[] = []): DnsRecord[] =>
  answers.flatMap(a =>
    a.type === 'OPT' ? [] : [{ name: a.name, type: a.type, ttl: 'ttl' in a ? (a.ttl ?? 0) : 0, data: present(a) }],
  );

function messageOf(packet: DecodedPacket, size: number, overTcp: boolean): DnsMessage {
  const edns = packet.additionals?.find(record => record.type === 'OPT');
  const flags = [
    'qr',
    ...(packet.flag_aa ? ['aa'] : []),
    ...(packet.flag_tc ? ['tc'] : []),
    ...(packet.flag_rd ? ['rd'] : []),
    ...(packet.flag_ra ? ['ra'] : []),
    ...(packet.flag_ad ? ['ad'] : []),
    ...(packet.flag_cd ? ['cd'] : []),
  ];
  return {
    id: packet.id ?? 0,
    flags,
    size,
    overTcp,
    authorities: recordsOf(packet.authorities),
    additionals: recordsOf(packet.additionals),
    ...(edns?.type === 'OPT' ? { udpSize: edns.udpPayloadSize } : {}),
  };
}

function denierOf({ authorities = [] }: DecodedPacket): Pick<DnsAnswer, 'denier'> {
  for (const record of authorities) if (record.type === 'SOA') return { denier: record.data.mname };
  return {};
}

function present(answer: { type: string; data?: unknown }): string {
  const { data } = answer;
  if (typeof data === 'string') return data;
  if (Array.isArray(data)) return data.map(part => JSON.stringify(String(part))).join(' ');
  if (Buffer.isBuffer(data)) return JSON.stringify(data.toString('utf8'));
  if (answer.type === 'MX') {
    const { preference = 0, exchange = '' } = data as Record<string, number | string>;
    return `${preference} ${exchange}`;
  }
  if (answer.type === 'SOA') {
    const { mname, rname, serial, refresh, retry, expire, minimum } = data as Record<string, number | string>;
    return [`${mname ?? ''}.`, `${rname ?? ''}.`, serial, refresh, retry, expire, minimum].map(String).join(' ');
  }
  if (answer.type === 'SRV') {
    const { priority = 0, weight = 0, port, target } = data as Record<string, number | string>;
    return `${priority} ${weight} ${port ?? 0} ${target ?? ''}`;
  }
  return JSON.stringify(data);
}
