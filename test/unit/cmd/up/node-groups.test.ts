import t from 'tap';
import { groupName, groupsOf } from '../../../../src/cmd/up/node-groups.js';
import type { WantedNode } from '../../../../src/cmd/up/nodes.js';

const node = (number: number, more: Partial<WantedNode> = {}): WantedNode => ({ number, stopped: false, ...more });
const nodes = (...numbers: number[]): WantedNode[] => numbers.map(number => node(number));

t.test('nodes are dealt to agents', async t => {
  const rows: {
    readonly name: string;
    readonly nodes: WantedNode[];
    readonly perAgent: number;
    readonly expect: string[];
  }[] = [
    { name: 'one each', nodes: nodes(1, 2), perAgent: 1, expect: ['node-1', 'node-2'] },
    { name: 'several', nodes: nodes(3, 1, 2), perAgent: 1000, expect: ['node-1..node-3'] },
    {
      name: 'so many at most',
      nodes: nodes(1, 2, 3, 4, 5),
      perAgent: 2,
      expect: ['node-1..node-2', 'node-3..node-4', 'node-5'],
    },
    {
      name: 'a number is missing',
      nodes: nodes(1, 2, 4, 5),
      perAgent: 9,
      expect: ['node-1..node-2', 'node-4..node-5'],
    },
    {
      name: 'one has a name',
      nodes: [node(1), node(2, { name: 'edge' }), node(3), node(4)],
      perAgent: 9,
      expect: ['node-1', 'edge', 'node-3..node-4'],
    },
    {
      name: 'some are larger',
      nodes: [node(1), node(2, { capacity: { cpu: '8' } }), node(3, { capacity: { cpu: '8' } })],
      perAgent: 9,
      expect: ['node-1', 'node-2..node-3'],
    },
    {
      name: 'zones are told to the API, not to the agent',
      nodes: [node(1, { zone: 'a' }), node(2, { zone: 'b' })],
      perAgent: 9,
      expect: ['node-1..node-2'],
    },
    {
      name: 'another proxy mode',
      nodes: [node(1), node(2, { proxyMode: 'nftables' })],
      perAgent: 9,
      expect: ['node-1', 'node-2'],
    },
  ];
  for (const { name, nodes, perAgent, expect } of rows)
    t.same(groupsOf(nodes, perAgent, ({ proxyMode = 'iptables' }) => proxyMode).map(groupName), expect, name);
});
