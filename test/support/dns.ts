import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import * as packet from 'dns-packet';
import { createStore } from '../../src/client/indexer.js';
import type { EventHandler, Informer, InformerFactory, ResourceRef } from '../../src/client/types.js';
import type { EndpointSlice, KubeObject, Service } from '../../src/machinery/types.js';

/** Informers that hold what they are given, without a server. */
export function fakeInformers(
  objects: Readonly<Record<string, readonly KubeObject[]>>,
  synced = true,
): InformerFactory {
  const informers = new Map<string, Informer>();
  return {
    informer<T extends KubeObject>(ref: ResourceRef) {
      const known = informers.get(ref.resource);
      if (known !== undefined) return known as unknown as Informer<T>;
      const store = createStore<KubeObject>();
      for (const object of objects[ref.resource] ?? []) store.put(object);
      const informer: Informer = {
        indexer: store,
        addIndex: (name, index) => store.addIndex(name, index),
        addHandler(handler: EventHandler) {
          for (const object of store.list()) handler.add?.(object);
          return () => undefined;
        },
        synced,
        whenSynced: async () => undefined,
      };
      informers.set(ref.resource, informer);
      return informer as unknown as Informer<T>;
    },
    start: () => undefined,
    whenSynced: async () => undefined,
  };
}

const service = (namespace: string, name: string, spec: Service['spec']): KubeObject => ({
  metadata: { namespace, name },
  spec,
});

function slice(
  namespace: string,
  name: string,
  of: string,
  endpoints: EndpointSlice['endpoints'],
  ports: EndpointSlice['ports'],
): KubeObject {
  return {
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    endpoints,
    ports,
  };
}

const manyPods = Array.from({ length: 60 }, (_, i) => ({ addresses: [`10.244.7.${i + 1}`] }));

export const CLUSTER = {
  namespaces: [
    { metadata: { name: 'default' } },
    { metadata: { name: 'shop' } },
    { metadata: { name: 'kube-system' } },
  ],
  services: [
    service('kube-system', 'kube-dns', {
      clusterIP: '10.96.0.10',
      clusterIPs: ['10.96.0.10'],
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    }),
    service('shop', 'web', {
      clusterIP: '10.96.1.1',
      clusterIPs: ['10.96.1.1'],
      ports: [
        { name: 'http', port: 80, protocol: 'TCP' },
        { name: 'admin', port: 8080, protocol: 'TCP' },
      ],
    }),
    service('shop', 'dual', {
      clusterIP: '10.96.1.2',
      clusterIPs: ['10.96.1.2', 'fd00::12'],
      ports: [{ port: 80, protocol: 'TCP' }],
    }),
    service('shop', 'db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432 }] }),
    service('shop', 'empty', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432 }] }),
    service('shop', 'many', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'x', port: 1 }] }),
    service('shop', 'portless', { clusterIP: 'None', clusterIPs: ['None'] }),
    service('shop', 'both', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'x', port: 1 }] }),
    service('shop', 'silent', { clusterIP: '10.96.1.3', clusterIPs: ['10.96.1.3'] }),
    service('shop', 'self', { type: 'ExternalName', externalName: 'self.shop.svc.cluster.local' }),
    service('shop', 'below', { type: 'ExternalName', externalName: 'x.below.shop.svc.cluster.local' }),
    service('shop', 'server', { type: 'ExternalName', externalName: 'ns.dns.cluster.local' }),
    service('shop', 'aliasdb', { type: 'ExternalName', externalName: 'DB.shop.svc.cluster.local.' }),
    service('shop', 'outside', { type: 'ExternalName', externalName: 'example.com' }),
    service('shop', 'alias', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
    service('shop', 'nowhere', { type: 'ExternalName', externalName: 'none.shop.svc.cluster.local' }),
    service('shop', 'loop', { type: 'ExternalName', externalName: 'loop2.shop.svc.cluster.local' }),
    service('shop', 'loop2', { type: 'ExternalName', externalName: 'loop.shop.svc.cluster.local' }),
  ],
  endpointslices: [
    slice('shop', 'web-1', 'web', [{ addresses: ['10.244.1.9'] }], [{ name: 'http', port: 8000, protocol: 'TCP' }]),
    slice(
      'shop',
      'db-1',
      'db',
      [
        { addresses: ['10.244.1.5'], hostname: 'db-0', conditions: { ready: true } },
        { addresses: ['10.244.2.5'], conditions: {} },
        { addresses: ['10.244.3.5'], hostname: 'db-2', conditions: { ready: false, serving: true } },
      ],
      [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    ),
    slice('shop', 'many-1', 'many', manyPods, [{ name: 'x', port: 1, protocol: 'TCP' }]),
    slice(
      'shop',
      'both-4',
      'both',
      [{ addresses: ['10.244.1.8'], hostname: 'b-0' }],
      [{ name: 'x', port: 1, protocol: 'TCP' }],
    ),
    slice(
      'shop',
      'both-6',
      'both',
      [{ addresses: ['fd00::8'], hostname: 'b-0' }, { addresses: ['fd00:1::'] }],
      [{ name: 'x', port: 1, protocol: 'TCP' }],
    ),
    slice('shop', 'portless-1', 'portless', [{ addresses: ['10.244.1.6'], hostname: 'solo' }], []),
  ],
} as unknown as Readonly<Record<string, readonly KubeObject[]>>;

/** One line per record, e.g. "web.shop.svc.cluster.local 30 A 10.96.1.1". */
export function print(record: packet.Answer): string {
  if (record.type === 'OPT') return `OPT ${record.udpPayloadSize}`;
  const head = `${record.name} ${(record as { ttl?: number }).ttl ?? 0} ${record.type}`;
  switch (record.type) {
    case 'SRV': {
      const { priority, weight, port, target } = record.data;
      return `${head} ${priority} ${weight} ${port} ${target}`;
    }
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
      return `${head} ${mname} ${rname} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case 'TXT':
      return `${head} ${String(record.data)}`;
    default:
      return `${head} ${String((record as { data: unknown }).data)}`;
  }
}

export interface DecodedFlags {
  readonly rcode: string;
  readonly flag_aa: boolean;
  readonly flag_tc: boolean;
}

export const WEB = 'web.shop.svc.cluster.local';

export async function askUdp(port: number, message: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    return await new Promise((done, failed) => {
      socket.once('message', done);
      socket.once('error', failed);
      socket.send(message, port, '127.0.0.1');
    });
  } finally {
    socket.close();
  }
}

/** Sends all messages in one segment over one connection. */
export async function askTcp(port: number, ...messages: Buffer[]): Promise<Buffer[]> {
  const socket = connect(port, '127.0.0.1');
  socket.end(
    Buffer.concat(
      messages.map(message => Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])),
    ),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  const answers: Buffer[] = [];
  for (let at = 0; at < all.length; at += 2 + all.readUInt16BE(at))
    answers.push(all.subarray(at + 2, at + 2 + all.readUInt16BE(at)));
  return answers;
}

export const question = (name: string, type: string, extra: Partial<packet.Packet> = {}): Buffer =>
  packet.encode({
    type: 'query',
    id: 4711,
    flags: packet.RECURSION_DESIRED,
    questions: [{ name, type: type as packet.RecordType }],
    ...extra,
  });
