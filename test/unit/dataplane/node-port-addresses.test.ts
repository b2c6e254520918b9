import t from 'tap';
import { nodePortAddresses } from '../../../src/dataplane/proxiers/node-port-addresses.js';

const NODE = { nodeAddresses: ['192.168.50.11', '10.0.0.5'], family: 'IPv4' } as const;

t.test('which addresses of a node take node port traffic', t => {
  for (const { name, wanted, nodeIP, expect } of [
    { name: 'nothing is said', wanted: undefined, expect: undefined },
    { name: 'the primary one', wanted: ['primary'], expect: ['192.168.50.11'] },
    {
      name: 'the primary one is another (--bind-address)',
      wanted: ['primary'],
      nodeIP: '10.0.0.5',
      expect: ['10.0.0.5'],
    },
    { name: 'those of a range', wanted: ['10.0.0.0/8'], expect: ['10.0.0.5'] },
    { name: 'none is in the range', wanted: ['172.16.0.0/12'], expect: [] },
    { name: 'a range of everything', wanted: ['10.0.0.0/8', '0.0.0.0/0'], expect: undefined },
    { name: 'ranges of the other family say nothing about this one', wanted: ['fd00::/8'], expect: undefined },
  ])
    t.same(
      nodePortAddresses({
        ...NODE,
        ...(wanted === undefined ? {} : { nodePortAddresses: wanted }),
        ...(nodeIP === undefined ? {} : { nodeIP }),
      }),
      expect,
      name,
    );
  t.end();
});
