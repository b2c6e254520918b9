import type { AddressInfo, Server } from 'node:net';
import t, { type Test } from 'tap';
import type { NetNamespace, NetworkStep } from '../../../src/containers/network/types.js';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { createProxier } from '../../../src/dataplane/proxiers/index.js';
import { FakeClock, realClock } from '../../../src/machinery/clock.js';
import { SILENT } from '../../../src/machinery/logger.js';
import type { EndpointSlice, Node, Service } from '../../../src/machinery/types.js';
import { createPeerLinks } from '../../../src/nodeagent/network/link/peer-links.js';
import { createNodeDirectory } from '../../../src/nodeagent/network/node-directory.js';
import { POD_NETWORK_ANNOTATION } from '../../../src/nodeagent/network/peer.js';
import { createPeerServer } from '../../../src/nodeagent/network/peer-link.js';
import { createPodNetwork } from '../../../src/nodeagent/network/pod-network.js';
import { createRelay } from '../../../src/nodeagent/proxy/relay.js';
import { service, slice } from '../../fixtures/iptables/inputs.js';
import { hostKernels, hostRoutes } from '../../support/host-routes.js';
import { until } from '../../support/until.js';

const listen = (server: Server): Promise<number> =>
  new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));

const UDP_TIMEOUT_MS = 5_000;

/** A node in userspace mode: Pods 10.244.i.x, itself 172.18.0.(i+1). */
async function node(i: number, relayClock: FakeClock) {
  const nodeName = `node-${i}`;
  const nodeIP = `172.18.0.${i + 1}`;
  const clock = realClock;
  const kernel = createKernel({ clock, random: () => 0.5, routes: hostRoutes(nodeIP) });
  const kernels = hostKernels(kernel);
  const directory = createNodeDirectory({ nodeName, kernels });
  const network = createPodNetwork({
    random: () => 0.5,
    nodeName,
    nodeAddresses: [nodeIP],
    kernels,
    directory,
    links: createPeerLinks(clock),
    clock,
    hostGateways: ['172.18.0.1'],
    hostAddress: '127.0.0.1',
  });
  const { sockets } = network.node;
  const proxy = createProxier({
    clock,
    mode: 'userspace',
    family: 'IPv4',
    nodeName,
    nodeAddresses: [nodeIP],
    isPortTaken: (protocol, port) => sockets.isTaken(protocol, port),
  });
  const relay = createRelay({
    proxies: [{ proxy }],
    nodeName,
    network: network.node,
    clock: relayClock,
    udpTimeoutMs: UDP_TIMEOUT_MS,
    log: SILENT,
  });
  const sync = (): void => {
    const { program } = proxy.sync();
    if (program !== undefined) kernel.load(program);
    relay.update();
  };
  const peers = createPeerServer({ network, clock });
  const object = {
    metadata: { name: nodeName, annotations: { [POD_NETWORK_ANNOTATION]: `127.0.0.1:${await listen(peers.server)}` } },
    spec: { podCIDRs: [`10.244.${i}.0/24`] },
    status: { addresses: [{ type: 'InternalIP', address: nodeIP }] },
  } as unknown as Node;
  return { network, proxy, relay, sync, directory, object, peers };
}

async function twoNodes(t: Test, { services, slices }: { services: Service[]; slices: EndpointSlice[] }) {
  const clock = new FakeClock();
  const [one, two] = await Promise.all([node(1, clock), node(2, clock)]);
  for (const { directory, proxy, sync, peers, relay } of [one, two]) {
    for (const { object } of [one, two]) directory.update(object);
    services.forEach(object => proxy.onServiceUpdate(object));
    slices.forEach(object => proxy.onSliceUpdate(object));
    sync();
    t.teardown(() => {
      relay.close();
      peers.close();
    });
  }
  return { one, two, clock };
}

const web = service('default/web', {
  type: 'NodePort',
  clusterIP: '10.96.0.20',
  ports: [{ port: 80, protocol: 'TCP', nodePort: 30_080 }],
});
const endpoints = (...ips: string[]): EndpointSlice =>
  slice(
    'default/web',
    { port: 8080 },
    ips.map(ip => ({ ip })),
  );
const WEB = { address: '10.96.0.20', port: 80 };

/** Says who it thinks is calling. */
const whoAmI = (namespace: NetNamespace, name: string): (() => void) =>
  namespace.listen(8080, stream => {
    stream.on('data', () => undefined);
    stream.end(`${name} sees ${stream.remoteAddress ?? ''}`);
  });

async function ask(from: NetNamespace, to: { address: string; port: number }): Promise<string> {
  try {
    let text = '';
    for await (const chunk of await from.connect(to, { timeoutMs: 500 })) text += String(chunk);
    return text;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

t.test('TCP', async t => {
  const slices = [endpoints('10.244.1.2', '10.244.2.2')];
  const { one, two } = await twoNodes(t, { services: [web], slices });
  const a = one.network.attach(['10.244.1.2'], 'pod default/a');
  const b = two.network.attach(['10.244.2.2'], 'pod default/b');
  const stop = whoAmI(a, 'a');
  whoAmI(b, 'b');
  const [seenByA, seenByB] = ['a sees 172.18.0.2', 'b sees 172.18.0.2'];
  const loopback = { address: '127.0.0.1', port: 30_080 };
  t.equal(await ask(a, WEB), seenByA, 'a Pod through the Service to itself');
  t.equal(await ask(a, WEB), seenByB, 'the next is on the other node');
  t.equal(await ask(one.network.node, WEB), seenByA, 'from the node itself');
  t.equal(await ask(one.network.node, loopback), seenByB, 'a node port, on loopback');
  t.equal(await ask(b, { address: '172.18.0.2', port: 30_080 }), seenByA, 'a node port of another node');
  t.throws(() => one.network.node.listen(30_080, () => undefined), { code: 'EADDRINUSE' }, 'a node port is held');
  stop();
  t.equal(await ask(a, WEB), seenByB, 'whose turn it is');
  t.equal(await ask(a, WEB), seenByB, 'the first refuses: the next one is asked');
  t.equal(await ask(a, { address: '10.244.1.2', port: 8080 }), 'ECONNREFUSED', 'as it does to others');

  one.proxy.onSliceUpdate(endpoints());
  one.sync();
  t.equal(await ask(a, WEB), '', 'nobody there: accepted and closed');
  one.proxy.onServiceDelete(web);
  one.sync();
  t.same(
    one.network.node.sockets.ports(),
    { tcp: [], udp: [], sctp: [], loopback: [] },
    'the Service is gone, and so are its sockets',
  );
});

t.test('what is open when the Service goes stays, and one end closes both', async t => {
  const { one } = await twoNodes(t, { services: [web], slices: [endpoints('10.244.1.2')] });
  const a = one.network.attach(['10.244.1.2'], 'pod default/a');
  a.listen(8080, stream => void stream.pipe(stream));
  const stream = await a.connect(WEB);
  const received: string[] = [];
  stream.on('data', chunk => received.push(String(chunk)));
  const echo = async (text: string): Promise<void> => {
    stream.write(text);
    await until('the echo', () => received.join('').endsWith(text));
  };
  await echo('one');
  one.proxy.onServiceDelete(web);
  one.sync();
  await echo('two');
  const ended = new Promise(resolve => stream.once('end', resolve));
  stream.end('three');
  await ended;
  t.same(received.slice(0, 2), ['one', 'two'], 'what the other side says later does not come');
});

t.test('whoever goes at once, on either side, leaves nothing open', async t => {
  const { one } = await twoNodes(t, { services: [web], slices: [endpoints('10.244.1.2')] });
  const a = one.network.attach(['10.244.1.2'], 'pod default/a');
  let closed = 0;
  a.listen(8080, stream => {
    stream.on('close', () => closed++);
    stream.on('end', () => stream.end());
    stream.resume();
  });
  (await a.connect(WEB)).destroy();
  const stream = await a.connect(WEB);
  stream.resume();
  stream.destroy(new Error('reset'));
  await until('both are closed', () => closed === 2);
  a.listen(8081, stream => void stream.destroy(new Error('reset')));
  one.proxy.onSliceUpdate(slice('default/web', { port: 8081 }, [{ ip: '10.244.1.2' }]));
  one.sync();
  t.equal(await ask(a, WEB), '', 'an endpoint that resets ends the client’s connection');
});

t.test('a large answer arrives whole', async t => {
  const { one, two } = await twoNodes(t, { services: [web], slices: [endpoints('10.244.2.2')] });
  const a = one.network.attach(['10.244.1.2'], 'pod default/a');
  const size = 3_000_000;
  two.network.attach(['10.244.2.2'], 'pod default/b').listen(8080, stream => void stream.end('x'.repeat(size)));
  t.equal((await ask(a, WEB)).length, size);
});

t.test('a trace goes on with the connection to the endpoint', async t => {
  const { one, two } = await twoNodes(t, {
    services: [web],
    slices: [slice('default/web', { port: 8080 }, [{ ip: '10.244.2.2' }, { ip: '10.244.2.3' }])],
  });
  const a = one.network.attach(['10.244.1.2'], 'pod default/a');
  two.network.attach(['10.244.2.2'], 'pod default/silent');
  whoAmI(two.network.attach(['10.244.2.3'], 'pod default/b'), 'b');
  const traced = async (address: string, port: number): Promise<string[]> => {
    const steps: NetworkStep[] = [];
    const stream = await a.connect({ address, port }, { observe: step => void steps.push(step) });
    stream.destroy();
    return steps.map(step => {
      switch (step.kind) {
        case 'netfilter':
          return `${step.node} ${step.direction} ${step.out.dst}`;
        case 'relay':
          return `${step.node} relays ${step.service} to ${step.endpoint}: ${step.why}`;
        case 'fail':
          return `${step.node} ${step.code}`;
        case 'deliver':
          return `${step.node} delivers to ${step.to}`;
        case 'route':
          return `${step.node} routes to ${step.via}`;
      }
    });
  };
  const relayed = (name: string) => [
    `${name} relays default/web to 10.244.2.2:8080: round robin: number 1 of 2`,
    `${name} request 10.244.2.2`,
    `${name} routes to ${name === 'node-2' ? 'pod default/silent' : 'node node-2'}`,
    ...(name === 'node-2' ? [] : ['node-2 request 10.244.2.2', 'node-2 routes to pod default/silent']),
    'node-2 ECONNREFUSED',
    `${name} relays default/web to 10.244.2.3:8080: round robin: number 2 of 2, as the one before failed`,
    `${name} request 10.244.2.3`,
    `${name} routes to ${name === 'node-2' ? 'pod default/b' : 'node node-2'}`,
    ...(name === 'node-2' ? [] : ['node-2 request 10.244.2.3', 'node-2 routes to pod default/b']),
    'node-2 delivers to pod default/b',
    ...(name === 'node-2' ? [] : ['node-2 reply 172.18.0.2']),
    `${name} reply ${name === 'node-2' ? '172.18.0.3' : '172.18.0.2'}`,
  ];
  t.same(await traced('10.96.0.20', 80), [
    'node-1 request 172.18.0.2',
    'node-1 routes to node node-1',
    'node-1 delivers to node node-1',
    ...relayed('node-1'),
    'node-1 reply 10.244.1.2',
  ]);
  t.same(
    await traced('172.18.0.3', 30_080),
    [
      'node-1 request 172.18.0.3',
      'node-1 routes to node node-2',
      'node-2 request 172.18.0.3',
      'node-2 routes to node node-2',
      'node-2 delivers to node node-2',
      ...relayed('node-2'),
      'node-2 reply 10.244.1.2',
      'node-1 reply 10.244.1.2',
    ],
    'also where another node relays',
  );
});

t.test('UDP', async t => {
  const dns = service('default/dns', { clusterIP: '10.96.0.10', ports: [{ port: 53, protocol: 'UDP' }] });
  const of = (...ips: string[]): EndpointSlice =>
    slice(
      'default/dns',
      { port: 53, protocol: 'UDP' },
      ips.map(ip => ({ ip })),
    );
  const slices = [of('10.244.1.2', '10.244.2.2')];
  const { one, two, clock } = await twoNodes(t, { services: [dns], slices });
  const a = one.network.attach(['10.244.1.2'], 'pod default/a');
  const b = two.network.attach(['10.244.2.2'], 'pod default/b');
  const ports = new Set<number>();
  let late: (() => void) | undefined;
  for (const [name, pod] of [
    ['a', a],
    ['b', b],
  ] as const)
    pod.listenUdp(53, async (payload, { client }) => {
      ports.add(client.port);
      if (String(payload) === 'late') await new Promise<void>(resolve => (late = resolve));
      return Buffer.from(`${name} sees ${client.address}`);
    });
  const to = { address: '10.96.0.10', port: 53 };
  const send = async (text: string, localPort: number, timeoutMs = 2_000): Promise<string> => {
    try {
      return String(await a.exchange(to, Buffer.from(text), { localPort, timeoutMs }));
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  };
  t.equal(await send('x', 4000), 'a sees 172.18.0.2');
  t.equal(await send('x', 4001), 'b sees 172.18.0.2', 'another client has the next endpoint');
  t.equal(await send('x', 4001), 'b sees 172.18.0.2', 'and keeps it');
  t.equal(ports.size, 2, 'and its port');
  clock.step(UDP_TIMEOUT_MS);
  t.equal(await send('x', 4001), 'a sees 172.18.0.2', 'until it has been idle');
  t.equal(ports.size, 3);
  const answer = send('late', 4001, 50);
  await until('it has arrived', () => late !== undefined);
  clock.step(UDP_TIMEOUT_MS);
  late?.();
  t.equal(await answer, 'ETIMEDOUT', 'an answer that comes after the client was forgotten is lost');

  one.proxy.onSliceUpdate(of());
  one.sync();
  t.equal(await send('x', 4010, 50), 'ETIMEDOUT', 'without endpoints nobody answers');
  one.proxy.onServiceDelete(dns);
  one.sync();
  t.same(one.network.node.sockets.ports(), { tcp: [], udp: [], sctp: [], loopback: [] });
});
