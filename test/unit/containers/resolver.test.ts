import { PassThrough } from 'node:stream';
import * as packet from 'dns-packet';
import t from 'tap';
import { inOrderOfUse } from '../../../src/containers/network/address-order.js';
import { NetworkError } from '../../../src/containers/network/errors.js';
import type { ResolverConfig } from '../../../src/containers/network/resolv-conf.js';
import { createResolver, reverseName } from '../../../src/containers/network/resolver.js';
import type { Addresses, NetNamespace } from '../../../src/containers/network/types.js';

const CONFIG: ResolverConfig = {
  nameservers: ['10.96.0.10', '10.96.0.11'],
  search: ['shop.svc.cluster.local', 'svc.cluster.local'],
  ndots: 5,
  timeoutMs: 100,
  attempts: 1,
};

/** What name servers know: "name TYPE" to data, or to a response code. */
type Known = Readonly<Record<string, readonly string[] | 'SERVFAIL' | 'silent'>>;
const RCODES = { NXDOMAIN: 3, SERVFAIL: 2, NOERROR: 0 } as const;

/** A network whose name servers know so much, and remember what they were asked: "server transport name TYPE". */
function network(known: Known, addresses: Addresses = ['10.244.1.2']) {
  const asked: string[] = [];
  const answer = (server: string, transport: string, bytes: Buffer): Buffer | undefined => {
    const { id, questions = [], additionals = [] } = packet.decode(bytes);
    const [{ name, type } = { name: '', type: 'A' }] = questions;
    const edns = additionals.length > 0 ? ' edns0' : '';
    asked.push(`${server} ${transport} ${name} ${type}${edns}`);
    const found = known[`${name} ${type}`];
    if (found === 'silent') return undefined;
    const exists = Object.keys(known).some(key => key.startsWith(`${name} `));
    const rcode = found === 'SERVFAIL' ? 'SERVFAIL' : exists ? 'NOERROR' : 'NXDOMAIN';
    const data = typeof found === 'object' ? found : [];
    return packet.encode({
      type: 'response',
      id: id ?? 0,
      flags: RCODES[rcode],
      questions,
      answers: data.map(value => ({ type: type as 'A', name, ttl: 30, data: value })),
    });
  };
  const namespace: NetNamespace = {
    addresses,
    exchange: async (to, payload) => {
      const response = answer(to.address, 'udp', payload);
      if (response === undefined) throw new NetworkError('ETIMEDOUT', 'no answer');
      return response;
    },
    connect: async to => {
      const stream = new PassThrough();
      const written = stream.write.bind(stream);
      stream.write = ((bytes: Buffer) => {
        const response = answer(to.address, 'tcp', bytes.subarray(2)) ?? Buffer.alloc(0);
        const length = Buffer.alloc(2);
        length.writeUInt16BE(response.length);
        return written(Buffer.concat([length, response]));
      }) as typeof stream.write;
      return stream;
    },
    listen: () => () => undefined,
    listenUdp: () => () => undefined,
  };
  return { namespace, asked };
}

const WEB = 'web.shop.svc.cluster.local';
const lookups: readonly {
  readonly name: string;
  readonly known: Known;
  readonly config?: Partial<ResolverConfig>;
  readonly own?: Addresses;
  readonly hosts?: string;
  readonly ask: string;
  readonly expect: readonly string[] | string;
  readonly asked?: readonly string[];
}[] = [
  {
    name: 'both families are asked for, name by name',
    known: { 'web.svc.cluster.local A': ['10.96.1.1'] },
    ask: 'web',
    expect: ['10.96.1.1'],
    asked: [`${WEB} A`, `${WEB} AAAA`, 'web.svc.cluster.local A', 'web.svc.cluster.local AAAA'],
  },
  {
    name: 'IPv4 before what the Pod has no address for',
    known: { [`${WEB} A`]: ['10.96.1.1'], [`${WEB} AAAA`]: ['2001:db8::1'] },
    ask: 'web',
    expect: ['10.96.1.1', '2001:db8::1'],
  },
  {
    name: 'IPv6 first where there is an own address of it',
    known: { [`${WEB} A`]: ['10.96.1.1'], [`${WEB} AAAA`]: ['2001:db8::1'] },
    own: ['10.244.1.2', '2001:db8:1::2'],
    ask: 'web',
    expect: ['2001:db8::1', '10.96.1.1'],
  },
  {
    name: 'a unique local address after IPv4',
    known: { [`${WEB} A`]: ['10.96.1.1'], [`${WEB} AAAA`]: ['fd00::1'] },
    own: ['10.244.1.2', 'fd00:1::2'],
    ask: 'web',
    expect: ['10.96.1.1', 'fd00::1'],
  },
  { name: 'only IPv6', known: { [`${WEB} AAAA`]: ['fd00::1'] }, ask: 'web', expect: ['fd00::1'] },
  {
    name: 'no-aaaa',
    known: { [`${WEB} A`]: ['10.96.1.1'] },
    config: { noAaaa: true },
    ask: 'web',
    expect: ['10.96.1.1'],
    asked: [`${WEB} A`],
  },
  { name: 'the name is there, but has no address', known: { [`${WEB} SRV`]: [] }, ask: 'web', expect: 'NODATA' },
  { name: 'no such name', known: {}, ask: 'web', expect: 'NXDOMAIN' },
  {
    name: 'a failure does not end the search path',
    known: { [`${WEB} A`]: 'SERVFAIL', [`${WEB} AAAA`]: 'SERVFAIL', 'web A': ['1.1.1.1'] },
    ask: 'web',
    expect: ['1.1.1.1'],
  },
  {
    name: 'but is told when nothing else is found',
    known: { [`${WEB} A`]: 'SERVFAIL', [`${WEB} AAAA`]: 'SERVFAIL' },
    ask: 'web',
    expect: 'SERVFAIL',
  },
  {
    name: 'nobody answers',
    known: { [`${WEB} A`]: 'silent', [`${WEB} AAAA`]: 'silent' },
    ask: 'web',
    expect: 'TIMEOUT',
  },
  {
    name: 'dotted enough: as it is first',
    known: { 'a.b A': ['1.1.1.1'] },
    config: { ndots: 1 },
    ask: 'a.b',
    expect: ['1.1.1.1'],
    asked: ['a.b A', 'a.b AAAA'],
  },
  { name: 'a final dot: as it is only', known: {}, ask: 'web.', expect: 'NXDOMAIN', asked: ['web A', 'web AAAA'] },
  { name: 'no name server', known: {}, config: { nameservers: [] }, ask: 'web', expect: 'NO_SERVERS', asked: [] },
  { name: 'an address', known: {}, ask: '10.1.2.3', expect: ['10.1.2.3'], asked: [] },
  { name: 'an IPv6 address as in a URL', known: {}, ask: '[fd00::1]', expect: ['fd00::1'], asked: [] },
  {
    name: 'a hosts file of both families',
    known: {},
    hosts: '127.0.0.1\tlocalhost\n::1\tlocalhost # loopback\n',
    ask: 'LOCALHOST',
    expect: ['127.0.0.1', '::1'],
    asked: [],
  },
];

t.test('getaddrinfo', async t => {
  for (const { name, known, config, own, hosts = '', ask, expect, asked } of lookups) {
    const net = network(known, own);
    const resolver = createResolver({
      random: () => 0.5,
      config: { ...CONFIG, ...config },
      network: net.namespace,
      hosts: async () => hosts,
    });
    const lookup = await resolver.lookup(ask);
    t.same(lookup.failure ?? lookup.addresses, expect, name);
    if (asked !== undefined)
      t.same(
        net.asked.map(line => line.split(' ').slice(2).join(' ')),
        asked,
        `${name}: asked`,
      );
  }
});

t.test('options of resolv.conf', async t => {
  const rows: readonly {
    readonly name: string;
    readonly config: Partial<ResolverConfig>;
    readonly known?: Known;
    readonly expect: readonly string[];
  }[] = [
    { name: 'none', config: {}, expect: ['10.96.0.10 udp x A', '10.96.0.10 udp y A'] },
    { name: 'use-vc', config: { useTcp: true }, expect: ['10.96.0.10 tcp x A', '10.96.0.10 tcp y A'] },
    { name: 'edns0', config: { edns0: true }, expect: ['10.96.0.10 udp x A edns0', '10.96.0.10 udp y A edns0'] },
    { name: 'rotate', config: { rotate: true }, expect: ['10.96.0.10 udp x A', '10.96.0.11 udp y A'] },
    {
      name: 'attempts:2 goes to every server twice',
      config: { attempts: 2 },
      known: { 'x A': 'silent', 'y A': ['1.1.1.1'] },
      expect: ['10', '11', '10', '11'].map(n => `10.96.0.${n} udp x A`).concat('10.96.0.10 udp y A'),
    },
  ];
  for (const { name, config, known = { 'x A': ['1.1.1.1'], 'y A': ['1.1.1.1'] }, expect } of rows) {
    const net = network(known);
    const resolver = createResolver({
      random: () => 0.5,
      config: { ...CONFIG, ...config },
      network: net.namespace,
      hosts: async () => '',
    });
    await resolver.search('x.', 'A');
    await resolver.search('y.', 'A');
    t.same(net.asked, expect, name);
  }
});

t.test('reverse names', async t => {
  t.equal(reverseName('10.1.2.3'), '3.2.1.10.in-addr.arpa');
  t.equal(reverseName('fd00::12'), `2.1.${'0.'.repeat(28)}d.f.ip6.arpa`);
});

t.test('destinations keep their order when none is better', async t => {
  t.same(inOrderOfUse(['10.0.0.2', '10.0.0.1'], ['10.244.1.2']), ['10.0.0.2', '10.0.0.1']);
  t.same(inOrderOfUse(['2001:db8::2', '10.0.0.1'], ['2001:db8::1']), ['2001:db8::2', '10.0.0.1']);
});
