import t from 'tap';
import { createKernel } from '../../../src/dataplane/kernel/kernel.js';
import { parseNftScript } from '../../../src/dataplane/tools/nft/parse-script.js';
import { printNftList } from '../../../src/dataplane/tools/nft/print-list.js';
import { printNftScript } from '../../../src/dataplane/tools/nft/print-script.js';
import { FakeClock } from '../../../src/machinery/clock.js';
import { hostRoutes } from '../../support/host-routes.js';

const rule = (text: string): string => `add rule ip t c ${text}`;
const set = (text: string): string => `add set ip t s { ${text} }`;

/** What a statement is not, and how nft says where. */
const refused: readonly { readonly name: string; readonly input: string; readonly expect: string }[] = [
  {
    name: 'a command',
    input: '\n\nreplace rule ip t c handle 1 drop',
    expect: '3:1-7: Error: syntax error, unexpected replace',
  },
  { name: 'all rules', input: 'flush ruleset', expect: '1:7-13: Error: syntax error, unexpected ruleset' },
  { name: 'an object', input: 'add counter ip t c', expect: '1:5-11: Error: syntax error, unexpected counter' },
  {
    name: 'another family',
    input: 'add table inet t',
    expect: '1:11-14: Error: a table of family inet is not of this kernel',
  },
  { name: 'words behind', input: 'flush chain ip t c d', expect: '1:20-20: Error: syntax error, unexpected d' },
  { name: 'a brace behind', input: 'add table ip t }', expect: '1:16-16: Error: syntax error, unexpected }' },
  { name: 'a table not closed', input: 'table ip t {\n', expect: '2:1-1: Error: syntax error, unexpected end of file' },
  { name: 'a table that goes', input: 'delete table ip t', expect: '1:17-17: Error: a table that is deleted' },
  { name: 'a quote', input: 'table ip t { comment "rules\n }', expect: '1:23-27: Error: the quote is not closed' },
  { name: 'a long word', input: 'a'.repeat(256), expect: '1:1-16: Error: it is longer than 255' },
  {
    name: 'a chain type',
    input: 'add chain ip t c { type route hook output priority 0 ; }',
    expect: 'Error: chains of type route',
  },
  {
    name: 'a hook',
    input: 'add chain ip t c { type nat hook ingress priority 0 ; }',
    expect: 'Error: unknown chain hook ingress',
  },
  {
    name: 'a priority',
    input: 'add chain ip t c { type nat hook input priority late ; }',
    expect: "'late' is invalid priority",
  },
  { name: 'a policy', input: 'add chain ip t c { policy drop ; }', expect: 'Error: policy drop is not simulated' },
  { name: 'an expression', input: rule('counter drop'), expect: '1:17-23: Error: syntax error, unexpected counter' },
  { name: 'no expression', input: rule(''), expect: 'unexpected end of file' },
  { name: 'a comment alone', input: rule('comment "c"'), expect: 'unexpected comment' },
  {
    name: 'what follows a verdict',
    input: rule('drop ct state new'),
    expect: '1:22-23: Error: Statement after terminal',
  },
  ...['reject', 'dnat to 10.0.0.1:53', 'masquerade fully-random', 'goto d', 'return'].map(ends => ({
    name: `what follows ${ends}`,
    input: rule(`${ends} drop`),
    expect: 'Error: Statement after terminal',
  })),
  { name: 'what follows a comment', input: rule('drop comment "c" drop'), expect: 'unexpected drop' },
  { name: 'a family of a rule', input: rule('ip6 saddr fd00::1 drop'), expect: 'unexpected ip6' },
  {
    name: 'an address',
    input: rule('ip saddr fd00::1 drop'),
    expect: '1:26-32: Error: fd00::1 is no address or range of IPv4',
  },
  { name: 'a range', input: rule('ip saddr 10.0.0.9-10.0.0.1 drop'), expect: 'is no address or range of IPv4' },
  { name: 'no addresses', input: rule('ip saddr { } drop'), expect: 'Error: a list without addresses' },
  { name: 'a key without map', input: rule('ip saddr . meta l4proto drop'), expect: 'unexpected drop' },
  { name: 'a map in the rule', input: rule('ip daddr vmap { 10.0.0.1 : drop }'), expect: 'unexpected {' },
  { name: 'a field', input: rule('th sport vmap @m'), expect: 'unexpected sport' },
  { name: 'a protocol', input: rule('meta l4proto icmp drop'), expect: 'unexpected icmp' },
  { name: 'two states', input: rule('ct state new,related drop'), expect: 'unexpected ,' },
  { name: 'a mark that is set', input: rule('meta mark & 0x1 == 0x1 drop'), expect: 'only bits that are not set' },
  { name: 'a mark of text', input: rule('meta mark set meta mark | all'), expect: 'unexpected all' },
  { name: 'numbers with a gap', input: rule('numgen random mod 2 vmap { 0 : drop, 2 : drop }'), expect: 'in order' },
  {
    name: 'too few numbers',
    input: rule('numgen random mod 2 vmap { 0 : drop }'),
    expect: '2 is not the number of verdicts',
  },
  { name: 'a port of none', input: rule('dnat to 10.0.0.1:70000'), expect: 'is no address and port of IPv4' },
  { name: 'ports in order', input: rule('masquerade'), expect: 'unexpected end of file' },
  { name: 'a set without type', input: set('comment "c"'), expect: 'Error: the set s has no type' },
  { name: 'a key type', input: set('type ether_addr'), expect: 'Error: the type ether_addr is not simulated' },
  { name: 'a map as a set', input: set('type ipv4_addr : verdict'), expect: 'a set of this type' },
  {
    name: 'a flag',
    input: set('type ipv4_addr ; flags interval'),
    expect: 'Error: the flag interval is not simulated',
  },
  { name: 'a timeout alone', input: set('type ipv4_addr ; timeout 3h'), expect: 'are those of one set' },
  { name: 'a time', input: set('type ipv4_addr ; flags dynamic,timeout ; timeout 3x'), expect: 'Error: 3x is no time' },
  ...['3h5', '5', 'h', '99999d'].map(time => ({
    name: `the time ${time}`,
    input: set(`type ipv4_addr ; flags dynamic,timeout ; timeout ${time}`),
    expect: `Error: ${time} is no time`,
  })),
  {
    name: 'a port above all',
    input: set('type inet_service ; elements = { 65536 }'),
    expect: '65536 is no inet_service',
  },
  {
    name: 'an element of another type than the set’s own command says',
    input: `${set('type ipv4_addr ;')}\nadd chain ip t d\nadd element ip t s { fd00::1 }`,
    expect: 'fd00::1 is no ipv4_addr',
  },
  { name: 'a size', input: set('type ipv4_addr ; size 9'), expect: 'Error: size 9 is not simulated' },
  {
    name: 'an element of another type',
    input: set('type ipv4_addr ; elements = { fd00::1 }'),
    expect: 'fd00::1 is no ipv4_addr',
  },
  { name: 'a short key', input: set('type ipv4_addr . inet_service ; elements = { 10.0.0.1 }'), expect: 'has 2 parts' },
  { name: 'a long key', input: set('type ipv4_addr ; elements = { 10.0.0.1 . 80 }'), expect: 'has 1 parts' },
  {
    name: 'an element with a verdict',
    input: set('type ipv4_addr ; elements = { 10.0.0.1 : drop }'),
    expect: 'has no verdict',
  },
  {
    name: 'what would be forgotten',
    input: set('type ipv4_addr ; elements = { 10.0.0.1 expires 9s }'),
    expect: 'elements of s do not expire',
  },
  {
    name: 'an element of no type',
    input: 'add element ip t s { web }',
    expect: '1:22-24: Error: syntax error, unexpected web',
  },
];

for (const { name, input, expect } of refused)
  t.test(`nft refuses ${name}`, async t => {
    t.throws(() => parseNftScript(input, 'IPv4'), {
      name: 'NetfilterError',
      message: new RegExp(`^/dev/stdin:.*${escape(expect)}`),
    });
  });

function escape(text: string): string {
  return text.replace(/[{}[\]().|^$*+?\\]/g, '\\$&');
}

t.test('what people write is read as well as what is printed', async t => {
  const text = `# two tables
table ip a {
\tchain c { type filter hook input priority filter - 0; policy accept; ct state new drop comment "no; more { of it }"
\t\tip saddr { 10.0.0.0/8,
\t\t  10.9.0.1-10.9.0.3, 192.0.2.7 } goto d # here
\t}
\tchain d {
\t}
\tset s { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2, } }
}
add rule ip b x drop; add chain ip a e
delete table ip b
add table ip b { comment "anew" ; }
`;
  const programs = parseNftScript(text, 'IPv4');
  t.match(programs, [
    { table: 'a', full: false, comment: '' },
    { table: 'b', full: true, comment: 'anew', commands: [] },
  ]);
  t.same(
    programs[0]?.commands.map(({ kind }) => kind),
    [...['addChain', 'addRules', 'addChain', 'addSet', 'addElement', 'addElement', 'addChain']],
  );
  const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes('192.0.2.1') });
  for (const program of programs) kernel.load(program);
  const list = printNftList(kernel);
  t.match(list, 'ip saddr { 10.0.0.0/8, 192.0.2.7 } goto d\n');
  t.match(list, 'ct state new drop comment "no; more { of it }"\n');
});

t.test('a statement may stand on as many lines as it likes', async t => {
  const text = `add set ip t s { type ipv4_addr . inet_service ; }
add element ip t s {

  10.0.0.1 . 65535

  ,

  10.0.0.2 . 0

}
`;
  t.match(parseNftScript(text, 'IPv4'), [
    { commands: [{}, { element: { key: ['10.0.0.1', '65535'] } }, { element: { key: ['10.0.0.2', '0'] } }] },
  ]);
});

t.test('every state of a flow', async t => {
  for (const state of ['new', 'established', 'related', 'invalid', 'untracked']) {
    const script = `${rule(`ct state ${state} drop`)}\n`;
    t.equal(parseNftScript(script, 'IPv4').map(printNftScript).join(''), script);
  }
});

t.test('what goes is forgotten by the rest of the script', async t => {
  const gone = `${set('type ipv4_addr ;')}\ndelete set ip t s\nadd element ip t s { fd00::1 }`;
  t.match(parseNftScript(gone, 'IPv4'), [{ commands: [{}, {}, { element: { key: ['fd00::1'] } }] }]);
  const table = 'add table ip t { comment "old" ; }\ndelete table ip t\nadd table ip t\n';
  t.match(parseNftScript(table, 'IPv4'), [{ full: true, comment: '', commands: [] }]);
});

t.test('a range is printed and asked as one', async t => {
  const script = `add chain ip t c { type filter hook input priority 0 ; policy accept ; }
add rule ip t c ip saddr { 198.51.100.1-198.51.100.3, 203.0.113.9 } drop
add rule ip t c ip saddr { 203.0.113.8, 203.0.113.8 } drop
`;
  const programs = parseNftScript(script, 'IPv4');
  t.equal(programs.map(printNftScript).join(''), script);
  const kernel = createKernel({ clock: new FakeClock(), random: () => 0, routes: hostRoutes('192.0.2.1') });
  for (const program of programs) kernel.load(program);
  t.match(printNftList(kernel), 'ip saddr { 198.51.100.1-198.51.100.3, 203.0.113.9 } drop');
  const list = parseNftScript(printNftList(kernel), 'IPv4');
  t.match(list[0]?.commands[1], {
    rules: [{}, { expressions: [{ addresses: { elements: ['203.0.113.8', '203.0.113.8'] } }, {}] }],
  });
  const verdict = (src: string): string =>
    kernel.connect({ proto: 'tcp', src, srcPort: 40_000, dst: '192.0.2.1', dstPort: 80, hook: 'prerouting' }).verdict;
  t.same(['198.51.100.0', '198.51.100.1', '198.51.100.3', '198.51.100.4', '203.0.113.8'].map(verdict), [
    ...['accept', 'drop', 'drop', 'accept', 'drop'],
  ]);
});

t.test('what packets have taught a set is listed, read and forgotten', async t => {
  const set = 'type ipv4_addr; size 65535; flags dynamic,timeout; timeout 3h;';
  const text = `table ip t { set s { ${set} elements = { 192.0.2.10 expires 2h, 192.0.2.9 expires 1m5s } } }`;
  const load = (text: string): { clock: FakeClock; list: () => string } => {
    const clock = new FakeClock();
    const kernel = createKernel({ clock, random: () => 0, routes: hostRoutes('192.0.2.1') });
    for (const program of parseNftScript(text, 'IPv4')) kernel.load(program);
    return { clock, list: () => printNftList(kernel) };
  };
  const first = load(text);
  t.match(first.list(), 'elements = { 192.0.2.9 expires 1m5s, 192.0.2.10 expires 2h }');
  t.equal(load(first.list()).list(), first.list());
  t.match(parseNftScript(text, 'IPv4').map(printNftScript).join(''), 'add element ip t s { 192.0.2.9 expires 1m5s }');
  first.clock.step(65_000);
  t.match(first.list(), 'elements = { 192.0.2.10 expires 1h58m55s }');
});
