import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { hostKernels, hostRoutes } from '../../support/host-routes.js';
import { until } from '../../support/until.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { createEphemeralPorts } from '../../../src/nodeagent/network/ephemeral-ports.js';
import { createPeerLinks } from '../../../src/nodeagent/network/link/peer-links.js';
import { createNodeDirectory } from '../../../src/nodeagent/network/node-directory.js';
import { POD_NETWORK_ANNOTATION } from '../../../src/nodeagent/network/peer.js';
import { createPodNetwork } from '../../../src/nodeagent/network/pod-network.js';
import { createSockets, MAX_ACCEPTED } from '../../../src/nodeagent/network/sockets.js';
import { parsePacket, parseVerdict } from '../../../src/nodeagent/network/wire.js';

const flow = { proto: 'tcp', src: '10.244.1.2', srcPort: 4000, dst: '10.244.2.2', dstPort: 80 } as const;
const packet = { flow, ttl: 7, trace: false, timeoutMs: 1000 };

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
t.test('packets of other agents are taken or refused, and nothing else of them is kept', async t => {
  t.same(parsePacket({ ...packet, flow: { ...flow, more: 1 }, more: 2 }), packet);
  t.equal(parsePacket({ ...packet, timeoutMs: 1e300 })?.timeoutMs, 127_000, 'nobody waits longer than Linux would');
  const rows: { name: string; value: unknown }[] = [
    { name: 'null', value: null },
    { name: 'a number', value: 5 },
    { name: 'a list', value: [] },
    { name: 'no flow', value: { ...packet, flow: undefined } },
    { name: 'a flow that is null', value: { ...packet, flow: null } },
    { name: 'another protocol', value: { ...packet, flow: { ...flow, proto: 'icmp' } } },
    { name: 'a name as an address', value: { ...packet, flow: { ...flow, dst: 'localhost' } } },
    { name: 'a port out of range', value: { ...packet, flow: { ...flow, dstPort: 65_536 } } },
    { name: 'a port that is text', value: { ...packet, flow: { ...flow, srcPort: '1' } } },
    { name: 'a packet that may travel for ever', value: { ...packet, ttl: 1e9 } },
    { name: 'time that is no number', value: { ...packet, timeoutMs: null } },
    { name: 'time before now', value: { ...packet, timeoutMs: -1 } },
  ];
  for (const { name, value } of rows) t.equal(parsePacket(value), undefined, name);
});

t.test('answers of other agents', async t => {
  t.same(parseVerdict({ steps: [], answered: true, more: 1 }), { steps: [], answered: true });
  t.same(parseVerdict({ steps: [], answered: false, error: { code: 'ETIMEDOUT', detail: 'dropped' } })?.error, {
    code: 'ETIMEDOUT',
    detail: 'dropped',
  });
  const rows: unknown[] = [
    null,
    {},
    { steps: 'no', answered: true },
    { steps: [1], answered: true },
    { steps: [], answered: true, error: { code: 'EPERM', detail: '' } },
    { steps: [], answered: true, error: 'no' },
    { steps: [] },
    { steps: [], answered: 1 },
  ];
  for (const value of rows) t.equal(parseVerdict(value), undefined, JSON.stringify(value));
});

const listen = async (t: Test, server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
};

function oneNode(clock: FakeClock) {
  const kernels = hostKernels(createKernel({ clock, random: () => 0.5, routes: hostRoutes('172.18.0.3') }));
  const directory = createNodeDirectory({ nodeName: 'node-2', kernels });
  const network = createPodNetwork({
    random: () => 0.5,
    nodeName: 'node-2',
    nodeAddresses: ['172.18.0.3'],
    kernels,
    directory,
    links: createPeerLinks(clock),
    clock,
    hostGateways: ['172.18.0.1'],
    hostAddress: '127.0.0.1',
  });
  return { network, directory };
}

t.test('a peer that accepts and says nothing is a packet that nobody answers', async t => {
  const clock = new FakeClock();
  const { network, directory } = oneNode(clock);
  const mute = createServer();
  const accepted: Socket[] = [];
  mute.on('connection', socket => {
    accepted.push(socket);
    socket.on('error', () => undefined);
  });
  const port = await listen(t, mute);
  t.teardown(() => accepted.forEach(socket => socket.destroy()));
  directory.update({
    metadata: { name: 'node-1', annotations: { [POD_NETWORK_ANNOTATION]: `127.0.0.1:${port}` } },
    spec: { podCIDRs: ['10.244.1.0/24'] },
    status: { addresses: [] },
  });
  const pod = network.attach(['10.244.2.2'], 'pod default/b');
  const failed = pod.connect({ address: '10.244.1.2', port: 80 }, { timeoutMs: 3000 });
  const refused = t.rejects(failed, { code: 'ETIMEDOUT' });
  await until('it is connected', () => accepted.length === 1);
  await turn();
  clock.step(10_000);
  await refused;
});

t.test('ports of a namespace', async t => {
  const ports = createEphemeralPorts(() => 0);
  const first = ports.choose();
  const release = ports.hold(first);
  t.throws(() => ports.choose(first), { code: 'EADDRINUSE' }, 'a port that is asked for and taken');
  const others = Array.from({ length: 60_999 - 32_768 + 1 }, () => ports.choose());
  t.notOk(others.includes(first), 'nobody else gets it, also after a whole turn');
  const all = Array.from({ length: 60_999 - 32_768 }, () => ports.hold(ports.choose()));
  t.throws(() => ports.choose(), { code: 'EADDRNOTAVAIL' }, 'none is left');
  t.equal(ports.choose(7), 7, 'others can still be asked for');
  release();
  t.equal(ports.choose(), first, 'until one is free again');
  all.forEach(free => free());
});

t.test('one Pod’s clients cannot take all memory', async t => {
  const sockets = createSockets('pod default/b');
  sockets.listen(80, stream => stream.resume(), false);
  const streams = Array.from({ length: MAX_ACCEPTED }, () => sockets.accept(flow, flow, false));
  t.throws(() => sockets.accept(flow, flow, false), { code: 'ECONNREFUSED', detail: /open connections/ });
  sockets.close();
  for (const stream of streams) stream.destroy();
});
