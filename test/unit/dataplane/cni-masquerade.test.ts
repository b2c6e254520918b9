import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { restore } from '../../../src/dataplane/tools/iptables/restore.js';
import { hostRoutes } from '../../support/host-routes.js';
import { FakeClock } from '../../../src/machinery/clock.js';

const NODE = '172.18.0.2';
const POD = '10.244.1.5';

t.test('what the CNI plugin masquerades, beside the rules', async t => {
  const rows = [
    { name: 'a Pod to another Pod keeps its address', src: POD, dst: '10.244.2.7', seen: POD },
    { name: 'a Pod to another node is seen as its own node', src: POD, dst: '172.18.0.3', seen: NODE },
    { name: 'a Pod to its own node is not: that packet does not leave', src: POD, dst: NODE, seen: POD },
    { name: 'the node itself', src: NODE, dst: '172.18.0.3', seen: NODE },
  ];
  for (const { name, src, dst, seen } of rows) {
    const kernel = createKernel({
      clock: new FakeClock(),
      random: () => 0,
      routes: hostRoutes(NODE),
      masquerades: packet => packet.src !== NODE && !packet.dst.startsWith('10.244.'),
    });
    const hook = src === NODE ? 'output' : 'prerouting';
    const connection = kernel.connect({ proto: 'tcp', src, srcPort: 40_000, dst, dstPort: 80, hook });
    t.match(connection.packet, { src: seen, srcPort: 40_000, dst }, name);
    t.match(connection.reply().packet, { src: dst, dst: src, dstPort: 40_000 }, `${name}: and back`);
  }
});

t.test('what the rules decide about a flow later does not change the source it has', async t => {
  const kernel = createKernel({
    clock: new FakeClock(),
    random: () => 0,
    routes: hostRoutes(NODE),
    masquerades: () => true,
  });
  restore(kernel, '*nat\n-A POSTROUTING -j SNAT --to-source 192.0.2.1\nCOMMIT\n');
  const { packet, trace } = kernel.connect({
    proto: 'udp',
    src: POD,
    srcPort: 1,
    dst: '172.18.0.3',
    dstPort: 2,
    hook: 'prerouting',
  });
  t.equal(packet.src, NODE);
  t.same(
    trace.filter(({ kind }) => kind === 'nat').map(({ hook, effect }) => `${hook}: ${effect}`),
    [`postrouting: by the CNI plugin: masquerade: source becomes ${NODE}:1`],
  );
});
