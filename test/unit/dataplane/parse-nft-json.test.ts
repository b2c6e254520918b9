import t from 'tap';
import { parseNftJson } from '../../../src/dataplane/tools/nft/json/parse-ruleset.js';
import { printNftJsonScript } from '../../../src/dataplane/tools/nft/json/print-commands.js';
import { printNftJson } from '../../../src/dataplane/tools/nft/json/print-ruleset.js';
import { parseNftScript } from '../../../src/dataplane/tools/nft/parse-script.js';
import { printNftScript } from '../../../src/dataplane/tools/nft/print-script.js';
import { printNftList } from '../../../src/dataplane/tools/nft/print-list.js';
import type { Family } from '../../../src/machinery/ip.js';
import { emptyKernel } from '../../support/loaded-nodes.js';

const T = { family: 'ip', table: 't' };
const text = (...items: readonly object[]): string => JSON.stringify({ nftables: items });
const rule = (...expr: readonly unknown[]): string => text({ rule: { ...T, chain: 'c', expr } });
const match = (left: unknown, right: unknown, op = '=='): object => ({ match: { op, left, right } });
const set = (more: object): string => text({ set: { ...T, name: 's', type: 'ipv4_addr', ...more } });
const chain = (more: object): string => text({ chain: { ...T, name: 'c', ...more } });
const SADDR = { payload: { protocol: 'ip', field: 'saddr' } };
const MARK = { meta: { key: 'mark' } };
const numgen = (mod: number, ...data: readonly unknown[]): object => ({
  vmap: { key: { numgen: { mode: 'random', mod } }, data: { set: data } },
});
const DROP = { drop: null };

/** What a text is not, and where. */
const refused: readonly { readonly name: string; readonly input: string; readonly expect: string }[] = [
  { name: 'no JSON', input: 'table ip t', expect: '/dev/stdin:1:1-1: Error: syntax error, expected {' },
  { name: 'an array', input: '[]', expect: '/dev/stdin:1:1-1: Error: syntax error, expected {' },
  {
    name: 'another member',
    input: '{"rules": []}',
    expect: '/dev/stdin:1:2-2: Error: syntax error, expected "nftables"',
  },
  {
    name: 'an end that is missing',
    input: '{"nftables": [',
    expect: '/dev/stdin:1:15-15: Error: premature end of input',
  },
  {
    name: 'a bracket that is missing',
    input: '{"nftables": [{"metainfo": {}}',
    expect: '1:31-31: Error: syntax error, expected ]',
  },
  { name: 'a string that is open', input: '{"nftables": ["a\\"]}', expect: '1:15-15: Error: the quote is not closed' },
  {
    name: 'what is no value',
    input: '{"nftables": [{a}]}',
    expect: '1:15-15: Error: syntax error in the value that begins',
  },
  { name: 'a comma too many', input: '{"nftables": [{"metainfo": {}},]}', expect: 'syntax error in the value' },
  { name: 'text behind', input: '{"nftables": []} x', expect: '1:18-18: Error: syntax error, end of file expected' },
  { name: 'a number', input: '{"nftables": [1]}', expect: 'nftables[0]: expected an object, got 1' },
  { name: 'two objects in one', input: text({ add: {}, table: {} }), expect: 'expected an object of one member' },
  { name: 'a later schema', input: text({ metainfo: { json_schema_version: 2 } }), expect: 'schema version 2 is not' },
  {
    name: 'a command',
    input: text({ flush: { ruleset: null } }),
    expect: 'nftables[0].flush.ruleset: it is not simulated',
  },
  { name: 'an object', input: text({ counter: {} }), expect: 'nftables[0].counter: it is not simulated' },
  { name: 'add in add', input: text({ add: { add: {} } }), expect: 'nftables[0].add.add: it is not simulated' },
  {
    name: 'another family',
    input: text({ table: { family: 'inet', name: 't' } }),
    expect: 'a table of family inet is not',
  },
  {
    name: 'no name',
    input: text({ table: { family: 'ip' } }),
    expect: 'nftables[0].table: object item not found: name',
  },
  { name: 'a name of two', input: text({ table: { family: 'ip', name: 'a b' } }), expect: '"a b" is no name' },
  {
    name: 'a flag',
    input: text({ table: { family: 'ip', name: 't', flags: 'dormant' } }),
    expect: 'flags is not simulated',
  },
  { name: 'a chain type', input: chain({ type: 'route', hook: 'output', prio: 0 }), expect: '.type: route is not' },
  { name: 'a hook', input: chain({ type: 'nat', hook: 'ingress', prio: 0 }), expect: '.hook: ingress is not' },
  {
    name: 'a priority',
    input: chain({ type: 'nat', hook: 'input', prio: 'late' }),
    expect: '.prio: late is no number',
  },
  {
    name: 'a policy',
    input: chain({ type: 'nat', hook: 'input', prio: 0, policy: 'drop' }),
    expect: '.policy: drop is not',
  },
  { name: 'a hook alone', input: chain({ hook: 'input' }), expect: 'hook of a chain without a type' },
  {
    name: 'a device',
    input: chain({ type: 'nat', hook: 'input', prio: 0, dev: 'lo' }),
    expect: 'dev is not simulated',
  },
  { name: 'an expression', input: rule({ counter: null }), expect: '.rule.expr[0].counter: it is not simulated' },
  { name: 'no expression', input: rule(), expect: '.rule.expr: a rule without expressions' },
  { name: 'what follows a verdict', input: rule(DROP, DROP), expect: '.expr[1]: Statement after terminal' },
  { name: 'a verdict with more', input: rule({ drop: 1 }), expect: '.expr[0].drop: 1 is not simulated' },
  { name: 'a jump to nowhere', input: rule({ jump: {} }), expect: '.jump: object item not found: target' },
  {
    name: 'a family of a rule',
    input: rule(match({ payload: { protocol: 'ip6', field: 'saddr' } }, '::1')),
    expect: 'ip6 is not',
  },
  {
    name: 'a field',
    input: rule(match({ payload: { protocol: 'ip', field: 'ttl' } }, 1)),
    expect: 'ttl is not simulated',
  },
  { name: 'a port', input: rule(match({ payload: { protocol: 'th', field: 'dport' } }, 80)), expect: 'only addresses' },
  { name: 'an operator', input: rule(match(SADDR, '10.0.0.1', '<')), expect: '.match.op: < is not simulated' },
  { name: 'an address', input: rule(match(SADDR, 'fd00::1')), expect: '.right: fd00::1 is no address of IPv4' },
  {
    name: 'a prefix',
    input: rule(match(SADDR, { prefix: { addr: '10.0.0.0', len: 33 } })),
    expect: '33 is no number from 0 to 32',
  },
  {
    name: 'a range',
    input: rule(match(SADDR, { range: ['10.0.0.9', '10.0.0.1'] })),
    expect: '10.0.0.9-10.0.0.1 is no range',
  },
  { name: 'no addresses', input: rule(match(SADDR, { set: [] })), expect: 'a list without addresses' },
  {
    name: 'a protocol',
    input: rule(match({ meta: { key: 'l4proto' } }, 'icmp')),
    expect: '.right: icmp is not simulated',
  },
  { name: 'a key of meta', input: rule(match({ meta: { key: 'cpu' } }, 1)), expect: '.key: cpu is not simulated' },
  {
    name: 'two states',
    input: rule(match({ ct: { key: 'state' } }, ['new', 'related'], 'in')),
    expect: 'expected a string, got an array',
  },
  { name: 'a key of ct', input: rule(match({ ct: { key: 'mark' } }, 1)), expect: '.key: mark is not simulated' },
  {
    name: 'a type of fib',
    input: rule(match({ fib: { result: 'oif', flags: ['saddr'] } }, 1)),
    expect: 'oif is not simulated',
  },
  {
    name: 'two flags of fib',
    input: rule(match({ fib: { result: 'type', flags: ['saddr', 'mark'] } }, 'local')),
    expect: 'only one flag',
  },
  {
    name: 'a mark that is set',
    input: rule(match({ '&': [MARK, 1] }, 1)),
    expect: 'only bits that are not set are simulated',
  },
  {
    name: 'a mark of text',
    input: rule({ mangle: { key: MARK, value: { '|': [MARK, 'all'] } } }),
    expect: 'all is no number',
  },
  {
    name: 'a mark as such',
    input: rule({ mangle: { key: MARK, value: 1 } }),
    expect: '.value: expected an object, got 1',
  },
  { name: 'numbers with a gap', input: rule(numgen(2, [0, DROP], [2, DROP])), expect: 'each number has its verdict' },
  { name: 'too few numbers', input: rule(numgen(2, [0, DROP])), expect: '.mod: 2 is not the number of verdicts' },
  {
    name: 'a map in the rule',
    input: rule({ vmap: { key: SADDR, data: { set: [] } } }),
    expect: '.data: expected a string',
  },
  {
    name: 'a port of none',
    input: rule({ dnat: { addr: '10.0.0.1', port: 70_000 } }),
    expect: '70000 is no number from 1',
  },
  { name: 'no port', input: rule({ dnat: { addr: '10.0.0.1' } }), expect: 'object item not found: port' },
  { name: 'ports in order', input: rule({ masquerade: null }), expect: '.masquerade: expected an object, got null' },
  {
    name: 'another answer',
    input: rule({ reject: { type: 'tcp reset' } }),
    expect: '.type: tcp reset is not simulated',
  },
  { name: 'a set without type', input: text({ set: { ...T, name: 's' } }), expect: 'object item not found: type' },
  { name: 'a key type', input: set({ type: ['ipv4_addr', 'mark'] }), expect: '.set.type[1]: mark is not simulated' },
  { name: 'a map as a set', input: set({ map: 'verdict' }), expect: 'a set of this type is not simulated' },
  { name: 'a flag of a set', input: set({ flags: ['interval'] }), expect: '.flags[0]: interval is not simulated' },
  { name: 'a timeout alone', input: set({ timeout: 9 }), expect: 'are those of one set' },
  { name: 'a size', input: set({ size: 9 }), expect: '.size: 9 is not simulated' },
  {
    name: 'a time of its own',
    input: set({ elem: [{ elem: { val: '10.0.0.1', timeout: 9 } }] }),
    expect: '.elem[0].elem: timeout is not',
  },
  {
    name: 'an element of another type',
    input: set({ elem: ['fd00::1'] }),
    expect: '.elem[0]: fd00::1 is no ipv4_addr',
  },
  { name: 'a port that is text', input: set({ type: 'inet_service', elem: ['80'] }), expect: '80 is no inet_service' },
  { name: 'an address that is a number', input: set({ elem: [80] }), expect: '80 is no ipv4_addr' },
  { name: 'a long key', input: set({ elem: [{ concat: ['10.0.0.1', 80] }] }), expect: 'a key of s has 1 parts' },
  { name: 'an element with a verdict', input: set({ elem: [['10.0.0.1', DROP]] }), expect: 'has no verdict' },
  {
    name: 'what would be forgotten',
    input: set({ elem: [{ elem: { val: '10.0.0.1', expires: 9 } }] }),
    expect: 'do not expire',
  },
  {
    name: 'an element of no type',
    input: text({ element: { ...T, name: 's', elem: ['web'] } }),
    expect: '.elem[0]: web is no key',
  },
  { name: 'a quote in a comment', input: set({ comment: 'a"b' }), expect: '.comment: quotes and ends of lines' },
  { name: 'no name at all', input: text({ table: { family: 'ip', name: '' } }), expect: '.name: "" is no name' },
  {
    name: 'a member of forty',
    input: set({ ['x'.repeat(40)]: 1 }),
    expect: `.set: ${'x'.repeat(40)} is not simulated`,
  },
  { name: 'a key without parts', input: set({ elem: [{ concat: [] }] }), expect: 'a key of s has 1 parts' },
  {
    name: 'a key of no parts, of a set that is not known',
    input: text({ element: { ...T, name: 's', elem: [{ concat: [] }] } }),
    expect: 'a key of 0 parts',
  },
  {
    name: 'a state that is not',
    input: rule(match({ ct: { key: 'state' } }, 'new', '!=')),
    expect: '.match.op: != is not simulated',
  },
  {
    name: 'a set that is added to',
    input: rule({ set: { op: 'add', elem: SADDR, set: '@s' } }),
    expect: '.set.op: add is not simulated',
  },
  {
    name: 'a mark of a connection',
    input: rule({ mangle: { key: { ct: { key: 'mark' } }, value: { '|': [MARK, 1] } } }),
    expect: '.mangle.key.ct: it is not simulated',
  },
  {
    name: 'a mark that is made of something else',
    input: rule({ mangle: { key: MARK, value: { '|': [{ meta: { key: 'cpu' } }, 1] } } }),
    expect: '.key: cpu is not simulated',
  },
  { name: 'a long member', input: set({ ['x'.repeat(500)]: 1 }), expect: `.set: ${'x'.repeat(40)}… is not simulated` },
  {
    name: 'a rule that goes',
    input: text({ delete: { rule: { ...T, chain: 'c', handle: 1 } } }),
    expect: 'nftables[0].delete.rule: it is not simulated',
  },
  { name: 'a set emptied', input: text({ flush: { set: { ...T, name: 's' } } }), expect: '.flush.set: it is not' },
  {
    name: 'a table that goes',
    input: text({ table: { family: 'ip', name: 't' } }, { delete: { table: { family: 'ip', name: 't' } } }),
    expect: 'a table that is deleted and not added again is not simulated',
  },
];

for (const { name, input, expect } of refused)
  t.test(`nft -j refuses ${name}`, async t => {
    try {
      parseNftJson(input, 'IPv4');
      t.fail('it was taken');
    } catch (error) {
      t.match(error, { name: 'NetfilterError' });
      t.ok((error as Error).message.includes(expect), (error as Error).message);
    }
  });

t.test('what is one of them with another has its place in the message', async t => {
  const input = text({ metainfo: {} }, { rule: { ...T, chain: 'c', expr: [DROP, DROP] } });
  t.throws(() => parseNftJson(input, 'IPv4'), {
    message: 'internal:0:0-0: Error: nftables[1].rule.expr[1]: Statement after terminal statement has no effect',
  });
});

const listed = (family: Family, parse: typeof parseNftJson, input: string): { text: string; json: string } => {
  const kernel = emptyKernel(family);
  for (const program of parse(input, family)) kernel.load(program);
  return { text: printNftList(kernel), json: printNftJson(kernel) };
};

/** Whatever the two forms have a word for, in both. */
const FORMS = `table ip t {
\tcomment "all"
\tset ips {
\t\ttype ipv4_addr
\t\tcomment "some"
\t\telements = { 10.0.0.1, 10.0.0.2 comment "b" }
\t}

\tset aff {
\t\ttype ipv4_addr . inet_service
\t\tsize 65535
\t\tflags dynamic,timeout
\t\ttimeout 3h
\t\telements = { 10.0.0.1 . 80 expires 1m40s }
\t}

\tmap m {
\t\ttype inet_proto . inet_service : verdict
\t\telements = { tcp . 80 : goto d,
\t\t\t     tcp . 81 comment "x" : return }
\t}

\tchain c {
\t\ttype filter hook output priority -110; policy accept;
\t\tcomment "base"
\t\tip saddr @ips ip daddr != 10.0.0.0/8 iifname != "cni*" drop comment "why"
\t\tip saddr { 10.0.0.0/8, 172.16.0.1-172.16.0.3, 192.0.2.1 } ip daddr { 10.0.0.1 } ip saddr 10.0.0.1-10.0.0.5 return
\t\tct state new meta l4proto tcp fib daddr type local iifname "eth0" jump d
\t\tmeta mark & 0x80000000 == 0x00000000 meta mark set meta mark | 0xffffffff meta mark set meta mark ^ 0x00004000
\t\tmeta l4proto . th dport vmap @m
\t\tnumgen random mod 2 vmap { 0 : goto d, 1 : accept }
\t\tupdate @aff { ip saddr } masquerade fully-random
\t}

\tchain d {
\t\tmeta l4proto udp dnat to 10.0.0.1:53
\t\treject
\t}
}
`;

t.test('both forms say the same', async t => {
  const { text, json } = listed('IPv4', parseNftScript, FORMS);
  t.equal(text, FORMS);
  const ofJson = listed('IPv4', parseNftJson, json);
  t.equal(ofJson.json, json);
  t.equal(ofJson.text, FORMS.replace('\tcomment "all"', '\tcomment ""').replace('\t\tcomment "base"\n', ''));
});

t.test('what other versions of nft print and people write is read as well', async t => {
  const input = ` {"nftables" : [ ${JSON.stringify({ metainfo: { version: '1.1.5', json_schema_version: 1 } })},
    ${[
      { add: { table: { family: 'ip6', name: 't', handle: 9, comment: 'about' } } },
      { chain: { family: 'ip6', table: 't', name: 'c', comment: 'of it' } },
      {
        set: {
          ...{ family: 'ip6', table: 't', name: 's', type: ['ipv6_addr'] },
          ...{ size: 65_535, flags: ['timeout', 'dynamic'], timeout: 60 },
        },
      },
      { element: { family: 'ip6', table: 't', name: 's', elem: [{ elem: { val: 'FD00::1', expires: 5 } }] } },
      {
        rule: {
          family: 'ip6',
          table: 't',
          chain: 'c',
          expr: [match({ fib: { result: 'type', flags: 'saddr' } }, 'local'), { reject: null }],
        },
      },
    ]
      .map(item => JSON.stringify(item))
      .join(',\n')}]}\n`;
  const { text } = listed('IPv6', parseNftJson, input);
  t.equal(
    text,
    `table ip6 t {
\tcomment "about"
\tset s {
\t\ttype ipv6_addr
\t\tsize 65535
\t\tflags dynamic,timeout
\t\ttimeout 1m
\t\telements = { fd00::1 expires 5s }
\t}

\tchain c {
\t\tcomment "of it"
\t\tfib saddr type local reject
\t}
}
`,
  );
});

t.test('commands are those of the text', async t => {
  const script = `add table ip t { comment "c" ; }
delete table ip t
add table ip t { comment "c" ; }
add set ip t s { type ipv4_addr ; comment "some" ; }
add map ip t m { type ipv4_addr . inet_proto . inet_service : verdict ; }
add chain ip t b { type nat hook output priority -100 ; policy accept ; comment "base" ; }
add chain ip t d
flush chain ip t d
add rule ip t d ip saddr { 10.0.0.9, 10.0.0.0/8, 10.0.0.1-10.0.0.5 } drop comment "in their order"
add element ip t m { 10.0.0.1 . tcp . 80 comment "x" : goto d }
delete element ip t m { 10.0.0.1 . tcp . 80 }
delete set ip t s
delete chain ip t b
`;
  const json = parseNftScript(script, 'IPv4').map(printNftJsonScript).join('');
  t.equal(parseNftJson(json, 'IPv4').map(printNftScript).join(''), script);
  t.equal(parseNftJson(json, 'IPv4').map(printNftJsonScript).join(''), json);
});
