import t from 'tap';
import { hostedNodes } from '../../../src/cmd/hosted-nodes.js';

t.test('names and addresses are counted up from the first', async t => {
  const rows = [
    {
      nodeName: 'node-1',
      ips: ['172.18.0.254'],
      expect: ['node-1 172.18.0.254', 'node-2 172.18.0.255', 'node-3 172.18.1.0'],
    },
    {
      nodeName: 'node-098',
      ips: ['172.18.0.9', 'fc00::ffff'],
      expect: ['node-098 172.18.0.9,fc00::ffff', 'node-099 172.18.0.10,fc00::1:0', 'node-100 172.18.0.11,fc00::1:1'],
    },
  ] as const;
  for (const { nodeName, ips, expect } of rows) {
    const [first, ...others] = ips;
    const made = hostedNodes({ nodeName, nodeIPs: [first, ...others] }, 3);
    t.same(
      made.map(node => `${node.nodeName} ${node.nodeIPs.join()}`),
      expect,
    );
  }
  t.throws(() => hostedNodes({ nodeName: 'edge', nodeIPs: ['172.18.0.2'] }, 2), /ends in a number/);
});
