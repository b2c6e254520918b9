import { familyOf, ipBytes } from '../../machinery/ip.js';
import { inOrderOfUse } from './address-order.js';
import { createAsk, type DnsAnswer, type DnsRecord, type RecordType } from './dns-question.js';
import { NetworkError } from './errors.js';
import { candidates, type ResolverConfig } from './resolv-conf.js';
import type { ConnectOptions, NetNamespace, SocketAddress } from './types.js';

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
  search(name: string, type: RecordType, options?: ConnectOptions & { server?: SocketAddress }): Promise<Lookup>;
  /** One query for exactly this name. @throws NetworkError */
  query(name: string, type: RecordType, options?: ConnectOptions & { server?: SocketAddress }): Promise<DnsAnswer>;
}

/** "10.0.0.1" to its reverse name. */
export function reverseName(address: string): string {
  if (familyOf(address) !== 'IPv6') return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const nibbles = [...Buffer.from(ipBytes(address)).toString('hex')];
  return `${nibbles.reverse().join('.')}.ip6.arpa`;
}

const MAX_NAME = 253;
const MAX_LABEL = 63;
const isDomainName = (name: string): boolean =>
  name.length <= MAX_NAME && name.split('.').every(label => label !== '' && Buffer.byteLength(label) <= MAX_LABEL);

export interface ResolverOptions {
  readonly config: ResolverConfig;
  readonly network: NetNamespace;
  /** The content of /etc/hosts. */
  readonly hosts: () => Promise<string>;
  /** In [0, 1). */
  readonly random: () => number;
}

export function createResolver({ config, network, hosts, random }: ResolverOptions): Resolver {
  const ask = createAsk(network, config, random);
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
    for (let attempt = 0; attempt < config.attempts; attempt++)
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
  const searchAll = async (
    name: string,
    types: readonly RecordType[],
    options: ConnectOptions & { server?: SocketAddress },
  ): Promise<Lookup> => {
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

async function answerOrSilence(answer: Promise<DnsAnswer>): Promise<DnsAnswer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    return undefined;
  }
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
