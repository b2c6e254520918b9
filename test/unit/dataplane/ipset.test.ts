import t from 'tap';
import { entryText } from '../../../src/dataplane/kernel/ipset/ipset.js';
import { createIpsets } from '../../../src/dataplane/kernel/ipset/ipsets.js';
import type { SetSide, SetType } from '../../../src/dataplane/kernel/ipset/types.js';
import { tokenize } from '../../../src/dataplane/tools/iptables/parse.js';
import { parseRule } from '../../../src/dataplane/tools/iptables/parse-rule.js';
import { restoreText, saveText } from '../../../src/dataplane/tools/iptables/rule-text.js';
import type { Tuple } from '../../../src/dataplane/packet.js';
import type { Family } from '../../../src/machinery/ip.js';

const packet: Tuple = { protocol: 'tcp', src: '198.51.100.7', srcPort: 40_000, dst: '203.0.113.77', dstPort: 443 };

interface Row {
  readonly type: SetType;
  readonly sides: string;
  readonly hits: readonly string[];
  readonly misses: readonly string[];
}

const rows: readonly Row[] = [
  { type: 'hash:ip', sides: 'dst', hits: ['203.0.113.77'], misses: ['198.51.100.7'] },
  { type: 'hash:ip', sides: 'src', hits: ['198.51.100.7'], misses: ['203.0.113.77'] },
  { type: 'bitmap:port', sides: 'dst', hits: ['443'], misses: ['40000'] },
  {
    type: 'hash:ip,port',
    sides: 'dst,dst',
    hits: ['203.0.113.77,tcp:443'],
    misses: ['203.0.113.77,udp:443', '203.0.113.77,tcp:80', '198.51.100.7,tcp:443'],
  },
  { type: 'hash:ip,port', sides: 'src,dst', hits: ['198.51.100.7,tcp:443'], misses: ['203.0.113.77,tcp:443'] },
  {
    type: 'hash:ip,port,ip',
    sides: 'dst,dst,src',
    hits: ['203.0.113.77,tcp:443,198.51.100.7'],
    misses: ['203.0.113.77,tcp:443,203.0.113.77'],
  },
  {
    type: 'hash:ip,port,net',
    sides: 'dst,dst,src',
    hits: [
      '203.0.113.77,tcp:443,198.51.100.0/24',
      '203.0.113.77,tcp:443,128.0.0.0/1',
      '203.0.113.77,tcp:443,198.51.100.7',
    ],
    misses: ['203.0.113.77,tcp:443,198.51.101.0/24', '203.0.113.78,tcp:443,198.51.100.0/24'],
  },
];

const setOf = (type: SetType, add: readonly string[], family: Family = 'IPv4') => {
  const sets = createIpsets(family, () => 0);
  sets.change([{ name: 'S', type, add, remove: [] }], false);
  return sets;
};

for (const { type, sides, hits, misses } of rows)
  t.test(`a set of type ${type} is asked by ${sides}`, async t => {
    const test = (entries: readonly string[]): boolean | undefined =>
      setOf(type, entries)
        .get('S')
        ?.test(packet, sides.split(',') as SetSide[]);
    for (const entry of hits) t.equal(test([...misses, entry]), true, entry);
    t.equal(test(misses), false, 'all that misses');
  });

t.test('what is added twice, or taken away without having been there, changes nothing about the others', async t => {
  const net = (range: string): string => `203.0.113.77,tcp:443,${range}`;
  const sets = setOf('hash:ip,port,net', [net('198.51.100.0/24'), net('198.51.100.0/24')]);
  const holds = () => sets.get('S')?.test(packet, ['dst', 'dst', 'src']);
  const remove = (range: string): void =>
    sets.change([{ name: 'S', type: 'hash:ip,port,net', add: [], remove: [net(range)] }], false);
  remove('198.51.101.0/24');
  t.equal(holds(), true);
  remove('198.51.100.0/24');
  t.equal(holds(), false);
});

t.test('the seed of a new set is any number of 32 bits', async t => {
  for (const { drawn, expect } of [
    { drawn: 0, expect: 0 },
    { drawn: 0.5, expect: 0x80000000 },
    { drawn: 1 - 2 ** -33, expect: 0xffffffff },
  ]) {
    const sets = createIpsets('IPv4', () => drawn);
    sets.change([{ name: 'S', type: 'hash:ip', add: [], remove: [] }], false);
    t.equal(sets.get('S')?.initval, expect);
  }
});

t.test('a set is changed, made whole, and refuses what is none of its entries', async t => {
  const sets = setOf('hash:ip,port,net', ['10.0.0.1,tcp:80,10.1.2.3/8', '10.0.0.1,tcp:80,10.0.0.9/32']);
  const entries = () => {
    const set = sets.get('S');
    return set === undefined ? [] : [...set.entries].map(key => entryText(set, key)).sort();
  };
  t.same(entries(), ['10.0.0.1,tcp:80,10.0.0.0/8', '10.0.0.1,tcp:80,10.0.0.9']);
  sets.change([{ name: 'S', type: 'hash:ip,port,net', add: [], remove: ['10.0.0.1,tcp:80,10.0.0.9'] }], false);
  t.same(entries(), ['10.0.0.1,tcp:80,10.0.0.0/8']);
  sets.change([{ name: 'S', type: 'hash:ip,port,net', add: ['10.0.0.1,tcp:81,::/0'], remove: [] }], true);
  t.same(entries(), ['10.0.0.1,tcp:81,::/0']);
  const check = (type: SetType, entry: string) => (): void =>
    sets.check([{ name: 'S', type, add: [entry], remove: [] }]);
  t.throws(check('hash:ip,port,net', '10.0.0.1,tcp:80'), /is no entry/);
  t.throws(check('hash:ip,port,net', '10.0.0.1,icmp:80,::/0'), /is no entry/);
  t.throws(check('hash:ip', '10.0.0.1'), /is of type/);
  const gone = { name: 'S', type: 'hash:ip,port,net', add: [], remove: ['10.0.0.1,tcp:80'] } as const;
  t.throws(() => sets.check([gone]), /is no entry/, 'nor is one taken away');
});

t.test('rules that name a set or a virtual service are read and printed', async t => {
  const read = (text: string) => parseRule('C', tokenize(text), 'IPv4');
  const set = read('-m set ! --match-set KUBE-CLUSTER-IP dst,dst,src -j ACCEPT');
  t.equal(restoreText(set), '-A C -m set ! --match-set KUBE-CLUSTER-IP dst,dst,src -j ACCEPT');
  t.equal(saveText(set, 'IPv4'), restoreText(set));
  const ipvs = read('-m ipvs --vaddr 203.0.113.77 --vproto tcp --vport 443 -j DROP');
  t.equal(restoreText(ipvs), '-A C -m ipvs --vaddr 203.0.113.77 --vproto tcp --vport 443 -j DROP');
  const saved = saveText(ipvs, 'IPv4');
  t.equal(saved, '-A C -m ipvs --vproto 6 --vaddr 203.0.113.77 --vport 443 -j DROP');
  t.same(read(saved.slice('-A C '.length)), ipvs);
  t.throws(() => read('-m set --match-set S up -j DROP'), /dimension/);
  t.throws(() => read('-m ipvs --vport 443 -j DROP'), /--vaddr/);
  t.throws(() => read('-m ipvs --vaddr 10.0.0.1 --vproto icmp --vport 443'), /icmp/);
});
