import { once } from 'node:events';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Test } from 'tap';
import { createKernel } from '../../src/dataplane/kernel/kernel.js';
import { hostKernels, hostRoutes } from './host-routes.js';
import { realClock } from '../../src/machinery/clock.js';
import type { KubeObject } from '../../src/machinery/types.js';
import { issueCertificate, type KeyPair } from '../../src/machinery/x509/certificate.js';
import { createKubeletServer } from './kubelet-server.js';
import type { NetStream } from '../../src/containers/network/types.js';
import { podConnections } from '../../src/kinds/core/pod/pod-connect.js';
import { nodeProxy, serviceProxy } from '../../src/kinds/core/proxy.js';
import { startFakeApi, type FakeApi } from './fake-api.js';
import { eventually, kubeletFacts, pod, startNode } from './simulated-node.js';

const HOUR = 3_600_000;

export const issue = (
  commonName: string,
  usage: 'ca' | 'client' | 'server',
  issuer?: KeyPair,
  organizations: string[] = [],
  subjectAltNames: string[] = [],
): KeyPair =>
  issueCertificate({
    subject: { commonName, organizations },
    usage,
    ...(subjectAltNames.length === 0 ? {} : { subjectAltNames }),
    notBefore: Date.now() - HOUR,
    notAfter: Date.now() + HOUR,
    ...(issuer === undefined ? {} : { issuer }),
  });

/** What a server in a Pod does with a connection. */
export type PodServer = (stream: NetStream) => void;

export interface ProxiedNode {
  readonly api: FakeApi;
  readonly kubelet: Server;
  readonly ca: KeyPair;
  readonly kubeletClient: KeyPair;
  /** Objects that the API server knows, by "plural/namespace/name"; a test may change them. */
  readonly objects: Map<string, KubeObject>;
  /** Puts a server on port 80 of the Pod "web" (10.244.1.200), of which only its network is there. */
  serve(server: PodServer): void;
  /** Sends text as it is and reads until the connection ends or `enough` says so. */
  raw(text: string, enough?: (answer: string) => boolean): Promise<string>;
}

export const WEB = '10.244.1.200';

/** An API server and the agent of one node, on real TLS; "other/secret" is a Pod that runs and has logged TOPSECRET. */
export async function startProxiedNode(t: Test): Promise<ProxiedNode> {
  const node = startNode();
  node.load(
    pod(
      'secret',
      { containers: [{ name: 'c', image: 'busybox', command: ['sh', '-c', 'echo TOPSECRET; sleep 9999'] }] },
      { namespace: 'other' },
    ),
  );
  node.start();
  const { manager } = node;
  if (manager === undefined) throw new Error('the node runs');
  await eventually(
    'the secret is in the log',
    () => (manager.find('other', 'secret')?.records[0]?.logs?.written ?? 0) > 0,
  );
  const attached = node.network.attach([WEB], 'default/web');
  let handler: PodServer = stream => stream.destroy();
  attached.listen(80, stream => handler(stream));
  const ca = issue('ca', 'ca');
  const serving = issue('system:node:node-1', 'server', ca, ['system:nodes']);
  const kubeletClient = issue('kube-apiserver-kubelet-client', 'client', ca);
  const kubelet = createKubeletServer({
    context: {
      ...kubeletFacts(),
      nodeName: 'node-1',
      pods: manager,
      network: node.network,
      kernels: hostKernels(createKernel({ clock: realClock, random: () => 0.5, routes: hostRoutes('172.18.0.2') })),
      clock: realClock,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    },
    dns: { address: '10.96.0.10', domain: 'cluster.local', hostNameservers: [] },
    ...serving,
    clientCa: ca.cert,
    hostGateways: ['172.18.0.1'],
    allowedNames: ['kube-apiserver-kubelet-client'],
    allowedOrganizations: [],
  });
  kubelet.listen(0, '127.0.0.1');
  await once(kubelet, 'listening');
  const objects = new Map<string, KubeObject>([
    [
      'nodes//node-1',
      {
        metadata: { name: 'node-1' },
        status: {
          addresses: [
            { type: 'InternalDNS', address: '127.0.0.1' },
            { type: 'InternalIP', address: '172.18.0.2' },
          ],
          daemonEndpoints: { kubeletEndpoint: { Port: (kubelet.address() as AddressInfo).port } },
        },
      },
    ],
    [
      'pods/default/web',
      {
        metadata: { name: 'web', namespace: 'default' },
        spec: { nodeName: 'node-1', containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] },
        status: { podIP: WEB },
      },
    ],
    [
      'pods/other/secret',
      node.cluster.get(
        { group: '', version: 'v1', resource: 'pods', kind: 'Pod' } as never,
        'other/secret',
      ) as KubeObject,
    ],
    ['services/default/web', { metadata: { name: 'web', namespace: 'default' }, spec: { ports: [{ port: 80 }] } }],
    [
      'endpointslices.discovery.k8s.io/default/web-1',
      {
        metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
        ports: [{ name: '', port: 80 }],
        endpoints: [{ addresses: [WEB], targetRef: { kind: 'Pod', name: 'web' } }],
      },
    ],
  ]);
  const api = await startFakeApi({
    strategies: {
      pods: { subresources: podConnections },
      services: { subresources: { proxy: serviceProxy(() => 0) } },
      nodes: { subresources: { proxy: nodeProxy } },
    },
    objects: {
      get: (resource, { namespace, name }) => objects.get(`${resource}/${namespace}/${name}`),
      list: (resource, namespace) =>
        [...objects].filter(([key]) => key.startsWith(`${resource}/${namespace}/`)).map(([, object]) => object),
    },
    kubelet: { ca: ca.cert, cert: kubeletClient.cert, key: kubeletClient.key },
  });
  t.teardown(async () => {
    await api.close();
    kubelet.closeAllConnections();
    kubelet.close();
    node.stop();
  });
  return {
    api,
    kubelet,
    ca,
    kubeletClient,
    objects,
    serve: server => void (handler = server),
    async raw(text, enough = () => false) {
      const socket = await api.socket();
      socket.write(text, 'latin1');
      return readAll(socket, enough);
    },
  };
}

/** Everything that a connection says. */
export function readAll(stream: Duplex, enough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (enough(text)) stream.destroy();
    });
    stream.on('error', () => undefined);
    stream.once('close', () => resolve(text));
  });
}

/** Where the body of a request ends that begins with `head`; undefined: not yet there. */
function endOfBody(head: string, text: string): number | undefined {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return text.length < Number(length) ? undefined : Number(length);
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return 0;
  const last = text.indexOf('0\r\n\r\n');
  return last < 0 ? undefined : last + 5;
}

/** A Pod's server that answers every request with its first line, and keeps the connection. */
export function mirror(heads: string[]): PodServer {
  return stream => {
    let text = '';
    let head: string | undefined;
    const next = (): boolean => {
      if (head === undefined) {
        const end = text.indexOf('\r\n\r\n');
        if (end < 0) return false;
        head = text.slice(0, end);
        text = text.slice(end + 4);
        heads.push(head);
        const [line = ''] = head.split('\r\n');
        stream.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${line.length}\r\n\r\n${line}`);
      }
      const end = endOfBody(head, text);
      if (end === undefined) return false;
      text = text.slice(end);
      head = undefined;
      return true;
    };
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      while (next());
    });
  };
}
