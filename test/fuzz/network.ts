import { mirror } from '../../src/controllers/endpointslicemirroring/mirror.js';
import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import { hostRoutes } from '../support/host-routes.js';
import { createProxier } from '../../src/dataplane/proxiers/index.js';
import { servicePorts } from '../../src/dataplane/services/service-ports.js';
import { decodeQuery, MessageError } from '../../src/dns/message.js';
import { emptyAnswer, RCODE } from '../../src/dns/records.js';
import { createResponseEncoder } from '../../src/dns/response.js';
import { decodeResponse } from '../../src/dns/upstream-message.js';
import { NetfilterError } from '../../src/dataplane/kernel/errors.js';
import { parseIpsetSave } from '../../src/dataplane/tools/ipset/parse-save.js';
import { parseIpvsadmSave } from '../../src/dataplane/tools/ipvsadm/parse-save.js';
import { parseNftJson } from '../../src/dataplane/tools/nft/json/parse-ruleset.js';
import { parseNftScript } from '../../src/dataplane/tools/nft/parse-script.js';
import { FakeClock } from '../../src/machinery/clock.js';
import type { EndpointSlice, Service } from '../../src/machinery/types.js';
import { parseTarget } from '../../src/nodeagent/kubelet-api/trace-target.js';
import { HttpError } from '../../src/nodeagent/kubelet-api/types.js';
import { NetworkError } from '../../src/containers/network/errors.js';
import { createResolver } from '../../src/containers/network/resolver.js';
import type { NetNamespace } from '../../src/containers/network/types.js';
import { parsePacket, parseVerdict } from '../../src/nodeagent/network/wire.js';
import { FuzzFault, type Row } from './growth.js';
import type { Shape } from './shapes.js';
import type { Rows } from './worker.js';

/** A text of as many characters as there are to be items; the list has its length. */
const COUNT: Shape = { name: 'many', make: size => 'x'.repeat(size) };
/** Agents and controllers serve nobody while they work: what counts is that their time grows with the list, and no more. */
const many = (name: string, sizes: readonly number[], send: (count: number) => unknown): Row => ({
  name,
  shapes: [COUNT],
  sizes,
  prepare: text => () => send(text.length),
});

/** Only errors of these classes are answers; anything else thrown would have ended a process. */
const expecting =
  (...known: readonly (abstract new (...args: never[]) => Error)[]) =>
  (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      if (!known.some(type => error instanceof type)) throw new FuzzFault(String(error));
    }
  };

/** Texts of the tools: as they are, and behind a beginning that is right. */
const PARSERS: readonly (readonly [string, (text: string) => unknown, ...string[]])[] = [
  ['ipset save', text => parseIpsetSave(text, 'IPv4'), 'create S hash:ip\nadd S '],
  ['ipvsadm -S', text => parseIpvsadmSave(text, 'IPv6'), '-A -t '],
  ['nft -f', text => parseNftScript(text, 'IPv4'), 'table ip t {\nchain c {\n', 'add rule ip t c ip saddr { '],
  [
    'nft -j',
    text => parseNftJson(text, 'IPv4'),
    '{"nftables": [',
    '{"nftables": [{"table": {"family": "ip", "name": "',
  ],
];
const parserRows = (): Row[] =>
  PARSERS.flatMap(([name, parse, ...beginnings]) =>
    ['', ...beginnings].map(beginning => ({
      name: `${name} of ${JSON.stringify(beginning)}`,
      prepare: text => () => expecting(NetfilterError)(() => parse(beginning + text)),
    })),
  );
/** All of it is right. */
const MANY_RULES = [200, 2_000];
const manyLines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

const dropJson = (address: string): string => {
  const match = { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: address };
  return JSON.stringify({ rule: { family: 'ip', table: 't', chain: 'c', expr: [{ match }, { drop: null }] } });
};

const HEADER = Buffer.from('000701000001000000000000', 'hex');
const encode = createResponseEncoder();
function asMessage(bytes: Buffer): void {
  expecting(MessageError)(() => {
    const query = decodeQuery(bytes);
    encode(query, emptyAnswer(RCODE.NXDOMAIN), 512);
  });
  const response = Buffer.from(bytes);
  response[2] = (response[2] ?? 0) | 0x80;
  expecting(MessageError)(() => decodeResponse(response));
}

const silent: NetNamespace = {
  addresses: ['10.244.1.2'],
  connect: () => Promise.reject(new NetworkError('ECONNREFUSED')),
  exchange: (_to, payload) => Promise.resolve(Buffer.concat([payload, Buffer.from([0xc0, 12])])),
  listen: () => () => undefined,
  listenUdp: () => () => undefined,
};
const resolver = createResolver({
  random: () => 0.5,
  config: {
    nameservers: ['10.96.0.10'],
    search: ['default.svc.cluster.local', 'svc.cluster.local'],
    ndots: 5,
    timeoutMs: 1,
    attempts: 1,
  },
  network: silent,
  hosts: async () => '127.0.0.1 localhost\n',
});

const service = (spec: Service['spec'], name = 'web'): Service => ({
  metadata: { namespace: 'shop', name },
  spec: spec ?? {},
});
const withText = (text: string): Service =>
  service({
    type: 'LoadBalancer',
    clusterIP: text,
    clusterIPs: [text],
    externalIPs: [text],
    loadBalancerSourceRanges: [text, `${text}/0`],
    ports: [
      { name: text, protocol: text, port: 80 },
      { name: text, port: 80 },
    ],
  });
const addressOf = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
const slice = (count: number): EndpointSlice => ({
  metadata: { namespace: 'shop', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  endpoints: Array.from({ length: count }, (_, i) => ({ addresses: [addressOf(i)], conditions: { ready: true } })),
});

function program(services: readonly Service[], slices: readonly EndpointSlice[]): void {
  const clock = new FakeClock();
  const proxy = createProxier({
    clock,
    mode: 'iptables',
    family: 'IPv4',
    nodeName: 'n',
    nodeAddresses: ['172.18.0.2'],
  });
  for (const object of services) proxy.onServiceUpdate(object);
  for (const object of slices) proxy.onSliceUpdate(object);
  const { program } = proxy.sync();
  if (program !== undefined) createKernel({ clock, random: () => 0, routes: hostRoutes('172.18.0.2') }).load(program);
}

/** What strangers send to the data plane, the DNS server, the agents' links and the trace. */
export async function rows(): Promise<Rows> {
  const list: Row[] = [
    { name: 'trace url', prepare: text => () => expecting(HttpError)(() => parseTarget(text)) },
    {
      name: 'trace url after a scheme',
      prepare: text => () => expecting(HttpError)(() => parseTarget(`udp://${text}:53`)),
    },
    { name: 'DNS message', prepare: text => () => asMessage(Buffer.from(text, 'latin1').subarray(0, 65_535)) },
    {
      name: 'DNS message after a header',
      prepare: text => () => asMessage(Buffer.concat([HEADER, Buffer.from(text, 'latin1')]).subarray(0, 65_535)),
    },
    { name: 'name to look up', prepare: text => () => resolver.lookup(text) },
    {
      name: 'frame of a peer',
      prepare: text => () => expecting(SyntaxError)(() => parsePacket(JSON.parse(text))),
    },
    {
      name: 'answer of a peer',
      prepare: text => () => expecting(SyntaxError)(() => parseVerdict(JSON.parse(text))),
    },
    { name: 'texts of a Service', prepare: text => () => expecting()(() => servicePorts(withText(text), 'IPv4')) },
    many('subsets of Endpoints', [50, 500, 5_000], count =>
      mirror({
        metadata: { name: 'web' },
        subsets: Array.from({ length: count }, (_, i) => ({
          addresses: [{ ip: addressOf(i) }],
          ports: [{ port: 1 + (i % 60_000) }],
        })),
      }),
    ),
    many('ports of a Service', [10, 100, 1_000], count =>
      program(
        [
          service({
            clusterIP: '10.96.0.1',
            clusterIPs: ['10.96.0.1'],
            ipFamilies: ['IPv4'],
            ports: Array.from({ length: count }, (_, i) => ({ name: `p${i}`, port: 1 + i })),
          }),
        ],
        [],
      ),
    ),
    many('endpoints of a slice', [100, 500, 1_000], count =>
      program(
        [
          service({
            clusterIP: '10.96.0.1',
            clusterIPs: ['10.96.0.1'],
            ipFamilies: ['IPv4'],
            ports: [{ name: 'http', port: 80 }],
          }),
        ],
        [slice(count)],
      ),
    ),
    ...parserRows(),
    many('entries of ipset save', MANY_RULES, count =>
      parseIpsetSave(`create S hash:ip\n${manyLines(count, i => `add S ${addressOf(i)}`)}`, 'IPv4'),
    ),
    many('virtual servers of ipvsadm -S', MANY_RULES, count =>
      parseIpvsadmSave(
        manyLines(count, i => `-A -t ${addressOf(i)}:80 -s rr`),
        'IPv4',
      ),
    ),
    many('rules of nft -f', MANY_RULES, count =>
      parseNftScript(
        manyLines(count, i => `add rule ip t c ip saddr ${addressOf(i)} drop`),
        'IPv4',
      ),
    ),
    many('rules of nft -j', MANY_RULES, count =>
      parseNftJson(
        `{"nftables": [${Array.from({ length: count }, (_, i) => dropJson(addressOf(i))).join(', ')}]}`,
        'IPv4',
      ),
    ),
  ];
  return { rows: list, close: () => undefined };
}
