import t from 'tap';
import { addressAt, parseCidr, parsePrefix } from '../../../src/machinery/cidr.js';
import { canonicalIP, familyOf, formatIP, ipBytes, networkOf, parseIP } from '../../../src/machinery/ip.js';

t.test('addresses as netutils.ParseIPSloppy reads and net.IP prints them', async t => {
  const rows: readonly [text: string, canonical: string | undefined][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['010.000.00.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['FD00:0:0:1::A', 'fd00:0:0:1::a'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['::1.2.3.4', '::102:304'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
  ];
  for (const [text, canonical] of rows) t.equal(canonicalIP(text), canonical, text);
  const none = [
    ...[
      '',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.256',
      '1.2.3.',
      '.1.2.3',
      '1..2.3',
      '1.2.3.4 ',
      '0x7f.0.0.1',
      '1234.1.1.1',
    ],
    ...[
      ':',
      ':::',
      '1:2',
      '1::2::3',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:8::',
      '::1:2:3:4:5:6:7:8',
      ':1::2',
      '1:',
      '::1:',
    ],
    ...['fe80::1%eth0', '::g', '::12345', '::1.2.3', '::1.2.3.4:5', '1:2:3:4:5:6:7:1.2.3.4', '::/0', '[::1]'],
  ];
  for (const text of none) t.equal(parseIP(text), undefined, JSON.stringify(text));
  t.equal(familyOf('1.2.3.4'), 'IPv4');
  t.equal(familyOf('::'), 'IPv6');
});

t.test('ranges', async t => {
  const rows: readonly [text: string, network: string, first: string, last: string][] = [
    ['10.0.0.7/8', '10.0.0.0/8', '10.0.0.0', '10.255.255.255'],
    ['10.0.0.7', '10.0.0.7/32', '10.0.0.7', '10.0.0.7'],
    ['0.0.0.0/0', '0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
    ['fd00:10::5/64', 'fd00:10::/64', 'fd00:10::', 'fd00:10::ffff:ffff:ffff:ffff'],
    ['::/0', '::/0', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ];
  for (const [text, network, first, last] of rows) {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new Error(text);
    const { family } = cidr;
    const ends = [cidr.first, cidr.last].map(value => formatIP({ family, value }));
    t.same([cidr.text, ...ends], [network, first, last], text);
    t.ok(cidr.contains(first) && cidr.contains(last), `${text} holds its ends`);
    t.notOk(cidr.contains(family === 'IPv4' ? '::1' : '1.2.3.4'), `${text} holds nothing of the other family`);
    const before = { family, value: cidr.first - 1n };
    if (cidr.first > 0n) t.notOk(cidr.contains(formatIP(before)), `${text} begins where it says`);
  }
  const services = parseCidr('10.96.0.0/30');
  t.same(
    [1n, 3n, 4n].map(offset => services && addressAt(services, offset)),
    ['10.96.0.1', '10.96.0.3', undefined],
  );
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '::/129',
    '/8',
    '10.0.0.0/8/8',
  ])
    t.equal(parsePrefix(text), undefined, text);
  const ip = parseIP('fd00::1:2');
  t.equal(ip && formatIP(networkOf(ip, 112)), 'fd00::1:0');
  t.same([...ipBytes('10.1.2.3')], [10, 1, 2, 3]);
  t.same([...ipBytes('::102')].slice(-3), [0, 1, 2]);
  t.throws(() => ipBytes('web'), RangeError);
});
