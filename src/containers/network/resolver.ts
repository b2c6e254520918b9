import type { Answer, decode as decodePacket, DecodedPacket, Packet } from 'dns-packet';
import { familyOf, ipBytes } from '../../machinery/ip.js';
import { inOrderOfUse } from './address-order.js';
import { NetworkError } from './errors.js';
import type { ConnectOptions, NetNamespace, SocketAddress } from './types.js';

/** What /etc/resolv.conf says. */
export interface ResolverConfig {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  /** Milliseconds per try. */
  readonly timeoutMs: number;
  readonly attempts: number;
  /** use-vc: every question goes over TCP. */
  readonly useTcp?: boolean;
  /** edns0: room for longer datagrams. */
  readonly edns0?: boolean;
  /** rotate: each question begins with another name server. */
  readonly rotate?: boolean;
  /** no-aaaa: getaddrinfo asks for IPv4 addresses only. */
  readonly noAaaa?: boolean;
}

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

export type LookupFailure = 'NXDOMAIN' | 'NODATA' | 'SERVFAIL' | 'TIMEOUT' | 'NO_SERVERS';

export interface Lookup {
  readonly addresses: readonly string[];
  /** The name the addresses belong to after the search path and CNAMEs. */
  readonly canonicalName: string;
  /** Every query of the search path with its answer, in order. */
  readonly queries: readonly DnsAnswer[];
  readonly failure?: LookupFailure;
  /** From /etc/hosts: no query was sent. */
  readonly fromHosts?: boolean;
}

export interface Resolver {
  readonly config: ResolverConfig;
  /**
   * getaddrinfo(3): literal address, /etc/hosts, then DNS along the search path, for addresses of both families unless
   * `type` says which; the one to try first stands first. Never throws for a missing name.
   */
  lookup(name: string, options?: ConnectOptions & { type?: 'A' | 'AAAA' }): Promise<Lookup>;
  /** The search path for any record type. */
  search(name: string, type: RecordType, options?: QueryOptions): Promise<Lookup>;
  /** One query for exactly this name. @throws NetworkError */
  query(name: string, type: RecordType, options?: QueryOptions): Promise<DnsAnswer>;
}

/** "10.0.0.1" to its reverse name. */
export function reverseName(address: string): string {
  if (familyOf(address) !== 'IPv6') return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const nibbles = [...Buffer.from(ipBytes(address)).toString('hex')];
  return `${nibbles.reverse().join('.')}.ip6.arpa`;
}

/** The names a lookup tries, in order, as glibc: dotted enough names as they are first, else the search path first. */
export function candidates(name: string, config: Pick<ResolverConfig, 'search' | 'ndots'>): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const searched = config.search.map(domain => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= config.ndots ? [name, ...searched] : [...searched, name];
}

const MAX_NAME = 253;
const MAX_LABEL = 63;
const isDomainName = (name: string): boolean =>
  name.length <= MAX_NAME && name.split('.').every(label => label !== '' && Buffer.byteLength(label) <= MAX_LABEL);

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

export interface ResolverOptions {
  readonly config: ResolverConfig;
  readonly network: NetNamespace;
  /** The content of /etc/hosts. */
  readonly hosts: () => Promise<string>;
}

export function createResolver({ config, network, hosts }: ResolverOptions): Resolver {
  let nextId = Math.floor(Math.random() * 65536);

  const ask = async (
    server: SocketAddress,
    name: string,
    type: RecordType,
    options: QueryOptions,
  ): Promise<DnsAnswer> => {
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

  let questions = 0;
  /** In the order in which they are asked. */
  const nameservers = (): SocketAddress[] => {
    const all = config.nameservers.map(address => ({ address, port: 53 }));
    const first = config.rotate === true ? questions++ % Math.max(all.length, 1) : 0;
    return [...all.slice(first), ...all.slice(0, first)];
  };
  const query: Resolver['query'] = async (name, type, options = {}) => {
    const servers = options.server === undefined ? nameservers() : [options.server];
    let failure: unknown = new NetworkError('ECONNREFUSED', 'no name server');
    for (let attempt = 0; attempt < (options.attempts ?? config.attempts); attempt++)
      for (const server of servers)
        try {
          return await ask(server, name, type, options);
        } catch (error) {
          if (!(error instanceof NetworkError)) throw error;
          failure = error;
        }
    throw failure;
  };

  /** Asks for all types at once, name after name along the search path, until one has records. */
  const searchAll = async (name: string, types: readonly RecordType[], options: QueryOptions): Promise<Lookup> => {
    const queries: DnsAnswer[] = [];
    const failed = (failure: LookupFailure): Lookup => ({ addresses: [], canonicalName: name, queries, failure });
    if (config.nameservers.length === 0 && options.server === undefined) return failed('NO_SERVERS');
    let failure: LookupFailure = 'NXDOMAIN';
    // What is too long for a question is no name (getaddrinfo: EAI_NONAME), and nobody is asked about it.
    for (const candidate of candidates(name, config).filter(isDomainName)) {
      const answers = await Promise.all(types.map(type => answerOrSilence(query(candidate, type, options))));
      queries.push(...answers.filter(answer => answer !== undefined));
      const found = answers.flatMap(answer => (answer === undefined ? [] : wantedRecords(answer)));
      if (found.length > 0)
        return { addresses: found.map(r => r.data), canonicalName: found[0]?.name ?? candidate, queries };
      if (answers.includes(undefined)) return failed('TIMEOUT');
      for (const answer of answers) {
        if (answer?.rcode === 'NOERROR') failure = 'NODATA';
        // glibc goes on along the search path after SERVFAIL, and reports "try again" if nothing else is found.
        else if (answer?.rcode !== 'NXDOMAIN') failure = 'SERVFAIL';
      }
    }
    return failed(failure);
  };

  const search: Resolver['search'] = (name, type, options = {}) => searchAll(name, [type], options);

  return {
    config,
    query,
    search,
    async lookup(written, { type, ...options } = {}) {
      const name = written.startsWith('[') && written.endsWith(']') ? written.slice(1, -1) : written;
      if (familyOf(name) !== undefined) return { addresses: [name], canonicalName: name, queries: [] };
      const families = type === undefined ? (['A', 'AAAA'] as const) : [type];
      const isWanted = (address: string): boolean => (address.includes(':') ? isNeeded('AAAA') : isNeeded('A'));
      const isNeeded = (family: 'A' | 'AAAA'): boolean => (families as readonly string[]).includes(family);
      const known = knownAddresses(await hosts(), name.toLowerCase()).filter(isWanted);
      if (known.length > 0) {
        const addresses = inOrderOfUse(known, network.addresses);
        return { addresses, canonicalName: name, queries: [], fromHosts: true };
      }
      const types = config.noAaaa === true && type === undefined ? (['A'] as const) : families;
      const found = await searchAll(name, types, options);
      return { ...found, addresses: inOrderOfUse(found.addresses, network.addresses) };
    },
  };
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

async function answerOrSilence(answer: Promise<DnsAnswer>): Promise<DnsAnswer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    return undefined;
  }
}

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

const wantedRecords = ({ question: { type }, records }: DnsAnswer): readonly DnsRecord[] =>
  records.filter(record => record.type === type || type === 'ANY');

/** The lines of a hosts file that name it. Of each family the first wins, as the kubelet writes one line of each. */
function knownAddresses(text: string, wanted: string): string[] {
  const known = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const family = familyOf(address);
    if (family === undefined || known.has(family)) continue;
    if (names.some(name => name.toLowerCase() === wanted)) known.set(family, address);
  }
  return [...known.values()];
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

/** The text of /etc/resolv.conf, as the kubelet writes it. */
export function formatResolvConf(config: ResolverConfig, options: readonly string[]): string {
  const lines = [];
  if (config.search.length > 0) lines.push(`search ${config.search.join(' ')}`);
  for (const server of config.nameservers) lines.push(`nameserver ${server}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}
